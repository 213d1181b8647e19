#include "gateway/consumer_products.h"

#include <string.h>

#define TAXII21		"application/taxii+json;version=2.1"
#define FETCH		"curl -fsS {ca}{auth}"

const struct product products[] = {
	{
		.name = "sentinel", .title = "Microsoft Sentinel, Threat intelligence - TAXII",
		.password = true, .logins = "user name and password only", .interval = "1 hour",
		.walk = WALK_NEXT, .accept = TAXII21,
		.fields = {
			{ "Friendly name (for server)", "{user}" },
			{ "API root URL", "{root}" },
			{ "Collection ID", "{collection}" },
			{ "Username", "{user}" },
			{ "Password", "{secret}" },
			{ "Import indicators", "At most one month old, or all" },
			{ "Polling frequency", "Once an hour" },
		},
		.traps = {
			"It asks no discovery: root and id are typed by hand, one connector a collection",
			"It comes from Microsoft's addresses and cannot show a client certificate",
			"It keeps no log that you could read: tocsin consumer status {user} does",
			"It shows known indicators anew about every 14 days; we do not send them again",
		},
	}, {
		.name = "splunk-es", .title = "Splunk Enterprise Security, threat intelligence",
		.password = true, .logins = "user name and password", .interval = "1 hour",
		.walk = WALK_NEXT, .accept = TAXII21, .discovers = true,
		.feed = "csv", .feed_format = "csv",
		.fields = {
			{ "Type", "taxii" },
			{ "URL", "{root}" },
			{ "Collection", "{collection}" },
			{ "Username", "{user}" },
			{ "Password (credential)", "{secret}" },
			{ "Interval", "3600" },
		},
		.lines = {
			"# before 8.2 there is TAXII 1.x only: type `CSV`, this URL, the same login",
			"{feed}",
		},
		.traps = {
			"TAXII 2.x from 8.2 on; from 8.4 on the login is kept in a credential of its own",
			"Splunk Cloud takes nothing but https with a certificate of a public CA",
			"The CTIS app submits bundles, no envelopes: we take both; it needs `write`",
		},
	}, {
		.name = "elastic", .title = "Elastic, Custom Threat Intelligence (TAXII)",
		.password = false,
		.logins = "a header (Bearer), user name and password, client certificate",
		.interval = "1 hour", .page = 1000, .trust = { "empty-list   yes" },
		.walk = WALK_NEXT, .accept = TAXII21, .filter = "match[type]=indicator",
		.fields = {
			{ "Feed URL", "{objects}" },
			{ "API key type", "Bearer" },
			{ "API key", "{secret}" },
			{ "TAXII version header", TAXII21 },
			{ "Initial interval", "720h" },
			{ "Interval", "1h" },
			{ "Page size", "1000" },
		},
		.traps = {
			"It wants the address of the objects themselves, not of the API root",
			"Older releases break at an envelope without objects: hence empty-list",
			"It follows `next` and does not look at `more`: our last page has no `next`",
		},
	}, {
		.name = "qradar", .title = "IBM QRadar, Threat Intelligence",
		.password = true, .logins = "user name and password", .interval = "1 hour",
		.walk = WALK_NEXT, .accept = TAXII21, .discovers = true,
		.feed = "ipv4.txt", .feed_format = "txt",
		.fields = {
			{ "TAXII endpoint", "{discovery}" },
			{ "TAXII version", "2.1 (2.0 before 7.4.3)" },
			{ "Authentication", "HTTP Basic" },
			{ "Username", "{user}" },
			{ "Password", "{secret}" },
			{ "Collection (from the list)", "{title}" },
			{ "Polling interval", "60 minutes" },
		},
		.lines = {
			"# without the app: a reference set of the values, every hour",
			FETCH "-o /tmp/{fname}.txt '{feed}'",
			"ReferenceDataUtil.sh load {fname} /tmp/{fname}.txt",
		},
		.traps = {
			"The list shows what discovery shows: a hidden collection is not among it",
			"In TAXII 2.0 it sees STIX 2.0 alone",
		},
	}, {
		.name = "opencti", .title = "OpenCTI, TAXII feed (Data sharing, Ingestion)",
		.password = false,
		.logins = "one of: Bearer token, user name and password, client certificate",
		.interval = "5 minutes", .walk = WALK_NEXT_AFTER, .accept = TAXII21,
		.fields = {
			{ "Name", "{user}" },
			{ "TAXII server URL", "{root-}" },
			{ "TAXII version", "TAXII 2.1" },
			{ "TAXII collection", "{collection}" },
			{ "Authentication type", "Bearer token" },
			{ "Token", "{secret}" },
			{ "Import from date", "empty: everything" },
		},
		.lines = {
			"# connector-taxii2 instead of the feed:",
			"TAXII2_DISCOVERY_URL={discovery}",
			"TAXII2_COLLECTIONS={rootname}.{title}",
			"TAXII2_V21=true",
		},
		.traps = {
			"Not the address of the collections: it adds /collections/ID/objects/ itself",
			"It takes one page an interval: a large collection takes hours at first",
			"The feed checks our certificate only if told so (verify, CA)",
		},
	}, {
		.name = "misp", .title = "MISP, TAXII servers (push)",
		.password = true, .logins = "user name and password, as one base64 text",
		.interval = "when an event is published", .trust = { "write        {cname}" },
		.walk = WALK_PUSH, .accept = TAXII21, .discovers = true,
		.fields = {
			{ "Name", "{user}" },
			{ "Owner", "your organisation" },
			{ "Base URL", "{base}" },
			{ "API root", "{rootname}" },
			{ "Collection", "{collection}" },
			{ "API key", "{basic}" },
		},
		.traps = {
			"It pushes; to pull into MISP use a feed of type CSV or freetext: {feed}",
			"It knows no client certificate and no Bearer token",
			"It splits by our max_content_length and does not wait for what becomes of it",
		},
		.feed = "csv", .feed_format = "csv",
	}, {
		.name = "xsoar", .title = "Cortex XSOAR / XSIAM, TAXII 2 Feed",
		.password = true, .logins = "user name and password, Token, any header, client certificate",
		.interval = "1 hour", .page = 100,
		.trust = { "tlp-vocab    1.0", "bookmark     yes" },
		.walk = WALK_MODIFIED, .accept = TAXII21, .filter = "match[type]=indicator",
		.discovers = true, .by_title = true,
		.fields = {
			{ "Discovery Service URL", "{discovery}" },
			{ "Username / API Key", "{user}" },
			{ "Password", "{secret}" },
			{ "Collection Name To Fetch Indicators From", "{title}" },
			{ "Default API Root To Use", "{rootname}" },
			{ "TAXII version", "2.1" },
			{ "Max Indicators Per Fetch", "1000" },
			{ "Feed Fetch Interval", "1 hour" },
		},
		.traps = {
			"It asks on from the newest `modified`, so relayed objects make it read everything "
			"again: hence bookmark",
			"It knows the marking ids of TLP 1 alone: hence tlp-vocab",
			"It finds the collection by its title, letter by letter",
		},
	}, {
		.name = "wazuh", .title = "Wazuh, a CDB list",
		.password = false, .logins = "whatever curl can", .interval = "1 hour",
		.feed = "ip.cdb", .feed_format = "wazuh", .walk = WALK_FEED,
		.fields = {
			{ "List file", "/var/ossec/etc/lists/tocsin-{fname}" },
			{ "Feed", "{feed}" },
		},
		.lines = {
			"# crontab of root on the manager:",
			"17 * * * * " FETCH "-o "
			"/var/ossec/etc/lists/tocsin-{fname}.new '{feed}' && mv "
			"/var/ossec/etc/lists/tocsin-{fname}.new /var/ossec/etc/lists/tocsin-{fname} && "
			"systemctl reload wazuh-manager",
			"# ossec.conf, in <ruleset>:",
			"<list>etc/lists/tocsin-{fname}</list>",
			"# a rule:",
			"<list field=\"srcip\" lookup=\"address_match_key\">"
			"etc/lists/tocsin-{fname}</list>",
		},
		.traps = { "It has no TAXII: a list is loaded when the manager is restarted or reloaded" },
	}, {
		.name = "graylog", .title = "Graylog, a lookup table",
		.password = false, .logins = "whatever curl can", .interval = "1 hour",
		.feed = "csv", .feed_format = "csv", .walk = WALK_FEED,
		.fields = {
			{ "Data adapter", "CSV File" },
			{ "File path", "/etc/graylog/tocsin-{fname}.csv" },
			{ "Check interval", "60 seconds" },
			{ "Separator", "," },
			{ "Quote character", "\"" },
			{ "Key column", "value" },
			{ "Value column", "type" },
		},
		.lines = {
			"# crontab on each Graylog server:",
			"17 * * * * " FETCH "-o /etc/graylog/tocsin-{fname}.new '{feed}' && mv "
			"/etc/graylog/tocsin-{fname}.new /etc/graylog/tocsin-{fname}.csv",
		},
		.traps = { "It has no TAXII: the file has to be there before the adapter is made" },
	}, {
		.name = "generic", .title = "any client of TAXII 2.1",
		.password = false,
		.logins = "Bearer token, Token, user name and password, client certificate",
		.interval = "5 minutes to 1 hour", .walk = WALK_NEXT, .accept = TAXII21, .discovers = true,
		.fields = {
			{ "Discovery URL", "{discovery}" },
			{ "API root URL", "{root}" },
			{ "Collection ID", "{collection}" },
			{ "Objects URL", "{objects}" },
			{ "User", "{user}" },
			{ "Token (Authorization: Bearer)", "{secret}" },
			{ "Accept", TAXII21 },
		},
		.traps = {
			"Go on with `next` while there is one; ask again from X-TAXII-Date-Added-Last, "
			"with all its digits",
		},
	},
	{ .name = NULL }
};

const struct product *
product_find(const char *name)
{
	for (const struct product *p = products; p->name != NULL; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}
