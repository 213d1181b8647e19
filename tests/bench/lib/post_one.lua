-- POST of one new object after the other; argument: the name of the run, which makes ids that no other run has.
-- wrk starts this once a thread; the rows use one thread.

local prefix, count = "", 0

function init(args)
	prefix = args[1] or "0"
	wrk.method = "POST"
end

local body = '{"objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--%s-0000-4000-8000-%012x",' ..
    '"created":"2026-11-20T08:00:00.000Z","modified":"2026-11-20T08:00:00.000Z","name":"bench %s %d",' ..
    '"indicator_types":["malicious-activity"],"description":"%s","pattern":"[domain-name:value = \'h%d.%s.example\']",' ..
    '"pattern_type":"stix","valid_from":"2026-11-20T08:00:00.000Z","confidence":50,"labels":["botnet","c2"],' ..
    '"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}]}'
local text = string.rep("seen in proxy logs; ", 12)

function request()
	count = count + 1
	return wrk.format(nil, nil, nil, body:format(prefix, count, prefix, count, text, count, prefix))
end
