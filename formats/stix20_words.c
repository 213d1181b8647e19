/* stix20_words.c -- see stix20.h: what is called what in 2.0 and 2.1. */
#include "formats/stix20.h"
#include "formats/vocab.h"

/* `labels` of 2.0 held what 2.1 calls the types of a thing. */
static const struct {
	const char	*type, *member, *words, *otherwise;
} labels[] = {
	{ "indicator", "indicator_types", "anomalous-activity anonymization benign compromised "
	    "malicious-activity attribution", "malicious-activity" },
	{ "malware", "malware_types", "adware backdoor bot ddos dropper exploit-kit keylogger "
	    "ransomware remote-access-trojan resource-exploitation rogue-security-software rootkit "
	    "screen-capture spyware trojan virus worm", "x-unknown" },
	{ "report", "report_types", "attack-pattern campaign identity indicator intrusion-set malware "
	    "observed-data threat-actor threat-report tool vulnerability", "threat-report" },
	{ "threat-actor", "threat_actor_types", "activist competitor crime-syndicate criminal hacker "
	    "insider-accidental insider-disgruntled nation-state sensationalist spy terrorist",
	    "x-unknown" },
	{ "tool", "tool_types", "denial-of-service exploitation information-gathering network-capture "
	    "credential-exploitation remote-access vulnerability-scanning", "x-unknown" },
};

/* Types that came with 2.1. */
static const char new_types[] = "grouping incident infrastructure location malware-analysis note opinion "
    "language-content extension-definition";

/* Properties that came with 2.1; type NULL: on everything. */
static const struct {
	const char	*type, *names;
} new_names[] = {
	{ NULL, "confidence lang extensions defanged" },
	{ "attack-pattern", "aliases" },
	{ "identity", "roles" },
	{ "malware", "aliases is_family first_seen last_seen operating_system_refs "
	    "architecture_execution_envs implementation_languages capabilities sample_refs" },
	{ "indicator", "pattern_version" },
	{ "threat-actor", "first_seen last_seen" },
	{ "tool", "aliases" },
	{ "relationship", "start_time stop_time" },
	{ "sighting", "description" },
	{ "marking-definition", "name" },
	{ "artifact", "encryption_algorithm decryption_key" },
	{ "email-message", "message_id" },
	{ "software", "swid" },
	{ "user-account", "credential" },
};

static const struct {
	const char	*type, *old, *now;
} renames[] = {
	{ "file", "created", "ctime" }, { "file", "modified", "mtime" },
	{ "file", "accessed", "atime" },
	{ "directory", "created", "ctime" }, { "directory", "modified", "mtime" },
	{ "directory", "accessed", "atime" },
	{ "process", "created", "created_time" }, { "process", "binary_ref", "image_ref" },
	{ "windows-registry-key", "modified", "modified_time" },
	{ "network-traffic", "encapsulates_by_ref", "encapsulated_by_ref" },
	{ "user-account", "password_last_changed", "credential_last_changed" },
};

static const struct {
	const char	*type, *ext, *names;
} gone[] = {
	{ "file", NULL, "is_encrypted encryption_algorithm decryption_key" },
	{ "process", NULL, "name arguments" },
	{ "file", "archive-ext", "version" },
	{ "file", "raster-image-ext", "image_compression_algorithm" },
	{ "network-traffic", "socket-ext", "protocol_family" },
};

const struct stix20_need stix20_needs[] = {
	{ "identity", "identity_class", "unknown" },
	{ "malware", "name", "unknown" },
	{ "user-account", "user_id", "unknown" },
	{ "windows-registry-key", "key", "unknown" },
	{ NULL, NULL, NULL }
};

const char *
stix20_types_member(struct slice type)
{
	for (size_t i = 0; i < COUNTOF(labels); i++)
		if (slice_is(type, labels[i].type))
			return labels[i].member;
	return NULL;
}

bool
stix20_is_label(struct slice type, struct slice word)
{
	for (size_t i = 0; i < COUNTOF(labels); i++)
		if (slice_is(type, labels[i].type))
			return vocab_has_word(labels[i].words, word);
	return false;
}

const char *
stix20_default_label(struct slice type)
{
	for (size_t i = 0; i < COUNTOF(labels); i++)
		if (slice_is(type, labels[i].type))
			return labels[i].otherwise;
	return NULL;
}

bool
stix20_is_new_type(struct slice type)
{
	return vocab_has_word(new_types, type);
}

bool
stix20_is_new(struct slice type, const char *name)
{
	if (strcmp(name, "extensions") == 0 && object_class_of(type) == OBJECT_SCO)
		return false;
	for (size_t i = 0; i < COUNTOF(new_names); i++)
		if ((new_names[i].type == NULL || slice_is(type, new_names[i].type)) &&
		    vocab_has_word(new_names[i].names, slice_of(name)))
			return true;
	return false;
}

const char *
stix20_renamed(struct slice type, const char *name, bool up)
{
	for (size_t i = 0; i < COUNTOF(renames); i++)
		if (slice_is(type, renames[i].type) &&
		    strcmp(name, up ? renames[i].old : renames[i].now) == 0)
			return up ? renames[i].now : renames[i].old;
	return NULL;
}

bool
stix20_is_gone(struct slice type, const char *ext, const char *name)
{
	for (size_t i = 0; i < COUNTOF(gone); i++)
		if (slice_is(type, gone[i].type) && (ext == NULL) == (gone[i].ext == NULL) &&
		    (ext == NULL || strcmp(ext, gone[i].ext) == 0) &&
		    vocab_has_word(gone[i].names, slice_of(name)))
			return true;
	return false;
}

bool
stix20_is_dictionary(const char *name)
{
	static const char names[] = "environment_variables additional_header_fields request_header "
	    "document_info_dict exif_tags startup_info options ipfix hashes";

	return vocab_has_word(names, slice_of(name));
}

const char *
stix20_step_type(struct slice step)
{
	static const struct { const char *type, *names; } steps[] = {
		{ "file", "binary_ref image_ref contains_refs service_dll_refs" },
		{ "directory", "parent_directory_ref" },
		{ "process", "parent_ref child_refs" },
		{ "user-account", "creator_user_ref belongs_to_ref" },
		{ "network-traffic", "opened_connection_refs encapsulates_refs encapsulated_by_ref "
		    "encapsulates_by_ref" },
	};

	for (size_t i = 0; i < COUNTOF(steps); i++)
		if (vocab_has_word(steps[i].names, step))
			return steps[i].type;
	return NULL;
}
