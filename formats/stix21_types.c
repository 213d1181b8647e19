/* stix21_types.c -- see stix21_types.h. Longer than other files because it is the table. */
#include "formats/stix21_types.h"

#include <stddef.h>

#define STRING(n, f)		{ n, KIND_STRING, f, NULL, NULL, 0, 0 }
#define TIME(n, f)		{ n, KIND_TIME, f, NULL, NULL, 0, 0 }
#define BOOL(n, f)		{ n, KIND_BOOL, f, NULL, NULL, 0, 0 }
#define INT(n, f)		{ n, KIND_INT, f, NULL, NULL, 0, 0 }
#define INT_IN(n, f, lo, hi)	{ n, KIND_INT, f, NULL, NULL, lo, hi }
#define COUNT(n, f)		{ n, KIND_INT, f, NULL, NULL, 0, INT64_MAX }
#define NUMBER(n, f)		{ n, KIND_NUMBER, f, NULL, NULL, 0, 0 }
#define NUMBER_IN(n, f, lo, hi)	{ n, KIND_NUMBER, f, NULL, NULL, lo, hi }
#define REF(n, f, types)	{ n, KIND_REF, f, types, NULL, 0, 0 }
#define ENUM(n, f, values)	{ n, KIND_ENUM, f, values, NULL, 0, 0 }
#define OBJECT(n, f, props)	{ n, KIND_OBJECT, f, NULL, props, 0, 0 }
#define OTHER(n, f, kind)	{ n, kind, f, NULL, NULL, 0, 0 }
#define END			{ NULL, KIND_ANY, 0, NULL, NULL, 0, 0 }
#define NO_RULES		{ { RULE_ORDER, NULL } }
#define R			PROP_REQUIRED
#define L			PROP_LIST

#define ANY_OBJECT	"@sdo @sco @sro"
#define IP_OR_NAME	"domain-name ipv4-addr ipv6-addr mac-addr"
#define CHAIN		OBJECT("kill_chain_phases", L, kill_chain_phase)

static const struct stix21_prop kill_chain_phase[] = {
	STRING("kill_chain_name", R), STRING("phase_name", R), END
};

static const struct stix21_prop external_reference[] = {
	STRING("source_name", R), STRING("description", 0), STRING("url", 0),
	OTHER("hashes", 0, KIND_HASHES), STRING("external_id", 0), END
};

static const struct stix21_prop granular_marking[] = {
	REF("marking_ref", 0, "marking-definition"), STRING("lang", 0), STRING("selectors", R | L),
	END
};

/* Common properties. */
#define IDENTIFIED							\
	STRING("type", R), STRING("id", R)
#define MARKED								\
	REF("object_marking_refs", L, "marking-definition"),		\
	OBJECT("granular_markings", L, granular_marking)
#define REFERENCED	OBJECT("external_references", L, external_reference)

static const struct stix21_prop common_domain[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", 0, "identity"),
	TIME("created", R), TIME("modified", R), BOOL("revoked", 0), STRING("labels", L),
	INT_IN("confidence", 0, 0, 100), STRING("lang", 0), REFERENCED, MARKED,
	OTHER("extensions", 0, KIND_EXTENSIONS), END
};

static const struct stix21_prop common_observable[] = {
	IDENTIFIED, STRING("spec_version", 0), MARKED, BOOL("defanged", 0),
	OTHER("extensions", 0, KIND_EXTENSIONS), END
};

static const struct stix21_prop common_extension_definition[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", R, "identity"),
	TIME("created", R), TIME("modified", R), BOOL("revoked", 0), STRING("labels", L),
	REFERENCED, MARKED, END
};

static const struct stix21_prop common_marking[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", 0, "identity"),
	TIME("created", R), REFERENCED, MARKED, OTHER("extensions", 0, KIND_EXTENSIONS), END
};

const struct stix21_prop stix21_custom_common[] = {
	IDENTIFIED, STRING("spec_version", 0), REF("created_by_ref", 0, "identity"),
	TIME("created", 0), TIME("modified", 0), BOOL("revoked", 0), STRING("labels", L),
	INT_IN("confidence", 0, 0, 100), STRING("lang", 0), REFERENCED, MARKED, BOOL("defanged", 0),
	OTHER("extensions", 0, KIND_EXTENSIONS), END
};

/* Domain objects. */
static const struct stix21_prop attack_pattern[] = {
	STRING("name", R), STRING("description", 0), STRING("aliases", L), CHAIN, END
};
static const struct stix21_prop campaign[] = {
	STRING("name", R), STRING("description", 0), STRING("aliases", L), TIME("first_seen", 0),
	TIME("last_seen", 0), STRING("objective", 0), END
};
static const struct stix21_prop course_of_action[] = {
	STRING("name", R), STRING("description", 0), END
};
static const struct stix21_prop grouping[] = {
	STRING("name", 0), STRING("description", 0), STRING("context", R),
	REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop identity[] = {
	STRING("name", R), STRING("description", 0), STRING("roles", L), STRING("identity_class", 0),
	STRING("sectors", L), STRING("contact_information", 0), END
};
static const struct stix21_prop incident[] = {
	STRING("name", R), STRING("description", 0), CHAIN, END
};
static const struct stix21_prop indicator[] = {
	STRING("name", 0), STRING("description", 0), STRING("indicator_types", L),
	STRING("pattern", R), STRING("pattern_type", R), STRING("pattern_version", 0),
	TIME("valid_from", R), TIME("valid_until", 0), CHAIN, END
};
static const struct stix21_prop infrastructure[] = {
	STRING("name", R), STRING("description", 0), STRING("infrastructure_types", L),
	STRING("aliases", L), CHAIN, TIME("first_seen", 0), TIME("last_seen", 0), END
};
static const struct stix21_prop intrusion_set[] = {
	STRING("name", R), STRING("description", 0), STRING("aliases", L), TIME("first_seen", 0),
	TIME("last_seen", 0), STRING("goals", L), STRING("resource_level", 0),
	STRING("primary_motivation", 0), STRING("secondary_motivations", L), END
};
static const struct stix21_prop location[] = {
	STRING("name", 0), STRING("description", 0), NUMBER_IN("latitude", 0, -90, 90),
	NUMBER_IN("longitude", 0, -180, 180), NUMBER("precision", 0), STRING("region", 0),
	STRING("country", 0), STRING("administrative_area", 0), STRING("city", 0),
	STRING("street_address", 0), STRING("postal_code", 0), END
};
static const struct stix21_prop malware[] = {
	STRING("name", 0), STRING("description", 0), STRING("malware_types", L), BOOL("is_family", R),
	STRING("aliases", L), CHAIN, TIME("first_seen", 0), TIME("last_seen", 0),
	REF("operating_system_refs", L, "software"), STRING("architecture_execution_envs", L),
	STRING("implementation_languages", L), STRING("capabilities", L),
	REF("sample_refs", L, "artifact file"), END
};
static const struct stix21_prop malware_analysis[] = {
	STRING("product", R), STRING("version", 0), REF("host_vm_ref", 0, "software"),
	REF("operating_system_ref", 0, "software"), REF("installed_software_refs", L, "software"),
	STRING("configuration_version", 0), STRING("modules", L),
	STRING("analysis_engine_version", 0), STRING("analysis_definition_version", 0),
	TIME("submitted", 0), TIME("analysis_started", 0), TIME("analysis_ended", 0),
	STRING("result_name", 0), STRING("result", 0), REF("analysis_sco_refs", L, "@sco"),
	REF("sample_ref", 0, "@sco"), END
};
static const struct stix21_prop note[] = {
	STRING("abstract", 0), STRING("content", R), STRING("authors", L),
	REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop observed_data[] = {
	TIME("first_observed", R), TIME("last_observed", R),
	INT_IN("number_observed", R, 1, 999999999), OTHER("objects", 0, KIND_DICTIONARY),
	REF("object_refs", L, "@sco @sro"), END
};
static const struct stix21_prop opinion[] = {
	STRING("explanation", 0), STRING("authors", L),
	ENUM("opinion", R, "strongly-disagree disagree neutral agree strongly-agree"),
	REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop report[] = {
	STRING("name", R), STRING("description", 0), STRING("report_types", L),
	TIME("published", R), REF("object_refs", R | L, ANY_OBJECT), END
};
static const struct stix21_prop threat_actor[] = {
	STRING("name", R), STRING("description", 0), STRING("threat_actor_types", L),
	STRING("aliases", L), TIME("first_seen", 0), TIME("last_seen", 0), STRING("roles", L),
	STRING("goals", L), STRING("sophistication", 0), STRING("resource_level", 0),
	STRING("primary_motivation", 0), STRING("secondary_motivations", L),
	STRING("personal_motivations", L), END
};
static const struct stix21_prop tool[] = {
	STRING("name", R), STRING("description", 0), STRING("tool_types", L), STRING("aliases", L),
	CHAIN, STRING("tool_version", 0), END
};
static const struct stix21_prop vulnerability[] = {
	STRING("name", R), STRING("description", 0), END
};

/* Relationship objects. */
#define RELATABLE	"!bundle language-content marking-definition relationship sighting"
static const struct stix21_prop relationship[] = {
	STRING("relationship_type", R), STRING("description", 0), REF("source_ref", R, RELATABLE),
	REF("target_ref", R, RELATABLE), TIME("start_time", 0), TIME("stop_time", 0), END
};
static const struct stix21_prop sighting[] = {
	STRING("description", 0), TIME("first_seen", 0), TIME("last_seen", 0),
	INT_IN("count", 0, 0, 999999999), REF("sighting_of_ref", R, "@sdo"),
	REF("observed_data_refs", L, "observed-data"),
	REF("where_sighted_refs", L, "identity location"), BOOL("summary", 0), END
};

/* Meta objects. */
static const struct stix21_prop marking_definition[] = {
	STRING("name", 0), STRING("definition_type", 0), OTHER("definition", 0, KIND_DICTIONARY), END
};
static const struct stix21_prop extension_definition[] = {
	STRING("name", R), STRING("description", 0), STRING("schema", R), STRING("version", R),
	ENUM("extension_types", R | L,
	    "new-sdo new-sco new-sro property-extension toplevel-property-extension"),
	STRING("extension_properties", L), END
};
static const struct stix21_prop language_content[] = {
	REF("object_ref", R, "!bundle language-content"), TIME("object_modified", 0),
	OTHER("contents", R, KIND_DICTIONARY), END
};

/* Observables. */
static const struct stix21_prop artifact[] = {
	STRING("mime_type", 0), OTHER("payload_bin", 0, KIND_BINARY), STRING("url", 0),
	OTHER("hashes", 0, KIND_HASHES),
	ENUM("encryption_algorithm", 0, "AES-256-GCM ChaCha20-Poly1305 mime-type-indicated"),
	STRING("decryption_key", 0), END
};
static const struct stix21_prop autonomous_system[] = {
	INT("number", R), STRING("name", 0), STRING("rir", 0), END
};
static const struct stix21_prop directory[] = {
	STRING("path", R), STRING("path_enc", 0), TIME("ctime", 0), TIME("mtime", 0),
	TIME("atime", 0), REF("contains_refs", L, "directory file"), END
};
static const struct stix21_prop domain_name[] = {
	STRING("value", R), REF("resolves_to_refs", L, "domain-name ipv4-addr ipv6-addr"), END
};
static const struct stix21_prop email_addr[] = {
	STRING("value", R), STRING("display_name", 0), REF("belongs_to_ref", 0, "user-account"), END
};
static const struct stix21_prop email_part[] = {
	STRING("body", 0), REF("body_raw_ref", 0, "artifact file"), STRING("content_type", 0),
	STRING("content_disposition", 0), END
};
static const struct stix21_prop email_message[] = {
	BOOL("is_multipart", R), TIME("date", 0), STRING("content_type", 0),
	REF("from_ref", 0, "email-addr"), REF("sender_ref", 0, "email-addr"),
	REF("to_refs", L, "email-addr"), REF("cc_refs", L, "email-addr"),
	REF("bcc_refs", L, "email-addr"), STRING("message_id", 0), STRING("subject", 0),
	STRING("received_lines", L), OTHER("additional_header_fields", 0, KIND_DICTIONARY),
	STRING("body", 0), OBJECT("body_multipart", L, email_part),
	REF("raw_email_ref", 0, "artifact"), END
};
static const struct stix21_prop file[] = {
	OTHER("hashes", 0, KIND_HASHES), COUNT("size", 0), STRING("name", 0), STRING("name_enc", 0),
	OTHER("magic_number_hex", 0, KIND_HEX), STRING("mime_type", 0), TIME("ctime", 0),
	TIME("mtime", 0), TIME("atime", 0), REF("parent_directory_ref", 0, "directory"),
	REF("contains_refs", L, "@sco"), REF("content_ref", 0, "artifact"), END
};
static const struct stix21_prop ip_addr[] = {
	STRING("value", R), REF("resolves_to_refs", L, "mac-addr"),
	REF("belongs_to_refs", L, "autonomous-system"), END
};
static const struct stix21_prop value_only[] = { STRING("value", R), END };
static const struct stix21_prop mutex[] = { STRING("name", R), END };
static const struct stix21_prop network_traffic[] = {
	TIME("start", 0), TIME("end", 0), BOOL("is_active", 0), REF("src_ref", 0, IP_OR_NAME),
	REF("dst_ref", 0, IP_OR_NAME), INT_IN("src_port", 0, 0, 65535),
	INT_IN("dst_port", 0, 0, 65535), STRING("protocols", R | L), COUNT("src_byte_count", 0),
	COUNT("dst_byte_count", 0), COUNT("src_packets", 0), COUNT("dst_packets", 0),
	OTHER("ipfix", 0, KIND_DICTIONARY), REF("src_payload_ref", 0, "artifact"),
	REF("dst_payload_ref", 0, "artifact"), REF("encapsulates_refs", L, "network-traffic"),
	REF("encapsulated_by_ref", 0, "network-traffic"), END
};
static const struct stix21_prop process[] = {
	BOOL("is_hidden", 0), INT("pid", 0), TIME("created_time", 0), STRING("cwd", 0),
	STRING("command_line", 0), OTHER("environment_variables", 0, KIND_DICTIONARY),
	REF("opened_connection_refs", L, "network-traffic"),
	REF("creator_user_ref", 0, "user-account"), REF("image_ref", 0, "file"),
	REF("parent_ref", 0, "process"), REF("child_refs", L, "process"), END
};
static const struct stix21_prop software[] = {
	STRING("name", R), STRING("cpe", 0), STRING("swid", 0), STRING("languages", L),
	STRING("vendor", 0), STRING("version", 0), END
};
static const struct stix21_prop user_account[] = {
	STRING("user_id", 0), STRING("credential", 0), STRING("account_login", 0),
	STRING("account_type", 0), STRING("display_name", 0), BOOL("is_service_account", 0),
	BOOL("is_privileged", 0), BOOL("can_escalate_privs", 0), BOOL("is_disabled", 0),
	TIME("account_created", 0), TIME("account_expires", 0), TIME("credential_last_changed", 0),
	TIME("account_first_login", 0), TIME("account_last_login", 0), END
};
static const struct stix21_prop registry_value[] = {
	STRING("name", 0), STRING("data", 0),
	ENUM("data_type", 0, "REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD "
	    "REG_DWORD_BIG_ENDIAN REG_DWORD_LITTLE_ENDIAN REG_LINK REG_MULTI_SZ "
	    "REG_RESOURCE_LIST REG_FULL_RESOURCE_DESCRIPTION REG_RESOURCE_REQUIREMENTS_LIST "
	    "REG_QWORD REG_INVALID_TYPE"), END
};
static const struct stix21_prop registry_key[] = {
	STRING("key", 0), OBJECT("values", L, registry_value), TIME("modified_time", 0),
	REF("creator_user_ref", 0, "user-account"), INT("number_of_subkeys", 0), END
};
static const struct stix21_prop x509_v3[] = {
	STRING("basic_constraints", 0), STRING("name_constraints", 0),
	STRING("policy_constraints", 0), STRING("key_usage", 0), STRING("extended_key_usage", 0),
	STRING("subject_key_identifier", 0), STRING("authority_key_identifier", 0),
	STRING("subject_alternative_name", 0), STRING("issuer_alternative_name", 0),
	STRING("subject_directory_attributes", 0), STRING("crl_distribution_points", 0),
	STRING("inhibit_any_policy", 0), TIME("private_key_usage_period_not_before", 0),
	TIME("private_key_usage_period_not_after", 0), STRING("certificate_policies", 0),
	STRING("policy_mappings", 0), END
};
static const struct stix21_prop x509_certificate[] = {
	BOOL("is_self_signed", 0), OTHER("hashes", 0, KIND_HASHES), STRING("version", 0),
	STRING("serial_number", 0), STRING("signature_algorithm", 0), STRING("issuer", 0),
	TIME("validity_not_before", 0), TIME("validity_not_after", 0), STRING("subject", 0),
	STRING("subject_public_key_algorithm", 0), STRING("subject_public_key_modulus", 0),
	INT("subject_public_key_exponent", 0), OBJECT("x509_v3_extensions", 0, x509_v3), END
};

#define SEEN	{ RULE_ORDER, "first_seen last_seen" }

/* All types, sorted by name. */
static const struct stix21_type types[] = {
	{ "artifact", common_observable, artifact, {
	    { RULE_NOT_BOTH, "payload_bin url" }, { RULE_NEEDS, "url hashes" },
	    { RULE_NEEDS, "decryption_key encryption_algorithm" },
	    { RULE_ONE_OF, "payload_bin url hashes" } } },
	{ "attack-pattern", common_domain, attack_pattern, NO_RULES },
	{ "autonomous-system", common_observable, autonomous_system, NO_RULES },
	{ "campaign", common_domain, campaign, { SEEN } },
	{ "course-of-action", common_domain, course_of_action, NO_RULES },
	{ "directory", common_observable, directory, NO_RULES },
	{ "domain-name", common_observable, domain_name, NO_RULES },
	{ "email-addr", common_observable, email_addr, NO_RULES },
	{ "email-message", common_observable, email_message, {
	    { RULE_NOT_IF_TRUE, "is_multipart body" },
	    { RULE_ONLY_IF_TRUE, "is_multipart body_multipart" } } },
	{ "extension-definition", common_extension_definition, extension_definition, NO_RULES },
	{ "file", common_observable, file, { { RULE_ONE_OF, "hashes name" } } },
	{ "grouping", common_domain, grouping, NO_RULES },
	{ "identity", common_domain, identity, NO_RULES },
	{ "incident", common_domain, incident, NO_RULES },
	{ "indicator", common_domain, indicator, { { RULE_AFTER, "valid_from valid_until" } } },
	{ "infrastructure", common_domain, infrastructure, { SEEN } },
	{ "intrusion-set", common_domain, intrusion_set, { SEEN } },
	{ "ipv4-addr", common_observable, ip_addr, NO_RULES },
	{ "ipv6-addr", common_observable, ip_addr, NO_RULES },
	{ "language-content", common_domain, language_content, NO_RULES },
	{ "location", common_domain, location, {
	    { RULE_ONE_OF, "region country latitude" }, { RULE_NEEDS, "latitude longitude" },
	    { RULE_NEEDS, "longitude latitude" }, { RULE_NEEDS, "precision latitude" } } },
	{ "mac-addr", common_observable, value_only, NO_RULES },
	{ "malware", common_domain, malware, { SEEN, { RULE_IF_TRUE_NEEDS, "is_family name" } } },
	{ "malware-analysis", common_domain, malware_analysis, {
	    { RULE_ONE_OF, "result analysis_sco_refs" },
	    { RULE_ORDER, "analysis_started analysis_ended" } } },
	{ "marking-definition", common_marking, marking_definition, {
	    { RULE_NEEDS, "definition_type definition" },
	    { RULE_NEEDS, "definition definition_type" },
	    { RULE_ONE_OF, "definition extensions name" } } },
	{ "mutex", common_observable, mutex, NO_RULES },
	{ "network-traffic", common_observable, network_traffic, {
	    { RULE_ONE_OF, "src_ref dst_ref" }, { RULE_ORDER, "start end" },
	    { RULE_NOT_IF_TRUE, "is_active end" } } },
	{ "note", common_domain, note, NO_RULES },
	{ "observed-data", common_domain, observed_data, {
	    { RULE_ONE_OF, "objects object_refs" }, { RULE_NOT_BOTH, "objects object_refs" },
	    { RULE_ORDER, "first_observed last_observed" } } },
	{ "opinion", common_domain, opinion, NO_RULES },
	{ "process", common_observable, process, { { RULE_ANY_OWN, "" } } },
	{ "relationship", common_domain, relationship, { { RULE_AFTER, "start_time stop_time" } } },
	{ "report", common_domain, report, NO_RULES },
	{ "sighting", common_domain, sighting, { SEEN } },
	{ "software", common_observable, software, NO_RULES },
	{ "threat-actor", common_domain, threat_actor, { SEEN } },
	{ "tool", common_domain, tool, NO_RULES },
	{ "url", common_observable, value_only, NO_RULES },
	{ "user-account", common_observable, user_account, { { RULE_ANY_OWN, "" } } },
	{ "vulnerability", common_domain, vulnerability, NO_RULES },
	{ "windows-registry-key", common_observable, registry_key, { { RULE_ANY_OWN, "" } } },
	{ "x509-certificate", common_observable, x509_certificate, { { RULE_ANY_OWN, "" } } },
};

/* Predefined extensions of observables. */
static const struct stix21_prop archive_ext[] = {
	REF("contains_refs", R | L, "directory file"), STRING("comment", 0), END
};
static const struct stix21_prop data_stream[] = {
	STRING("name", R), OTHER("hashes", 0, KIND_HASHES), INT("size", 0), END
};
static const struct stix21_prop ntfs_ext[] = {
	STRING("sid", 0), OBJECT("alternate_data_streams", L, data_stream), END
};
static const struct stix21_prop pdf_ext[] = {
	STRING("version", 0), BOOL("is_optimized", 0),
	OTHER("document_info_dict", 0, KIND_DICTIONARY), STRING("pdfid0", 0), STRING("pdfid1", 0), END
};
static const struct stix21_prop raster_image_ext[] = {
	INT("image_height", 0), INT("image_width", 0), INT("bits_per_pixel", 0),
	OTHER("exif_tags", 0, KIND_DICTIONARY), END
};
static const struct stix21_prop pe_section[] = {
	STRING("name", R), COUNT("size", 0), NUMBER("entropy", 0), OTHER("hashes", 0, KIND_HASHES),
	END
};
static const struct stix21_prop pe_optional_header[] = {
	OTHER("magic_hex", 0, KIND_HEX), INT("major_linker_version", 0),
	INT("minor_linker_version", 0), COUNT("size_of_code", 0),
	COUNT("size_of_initialized_data", 0), COUNT("size_of_uninitialized_data", 0),
	INT("address_of_entry_point", 0), INT("base_of_code", 0), INT("base_of_data", 0),
	INT("image_base", 0), INT("section_alignment", 0), INT("file_alignment", 0),
	INT("major_os_version", 0), INT("minor_os_version", 0), INT("major_image_version", 0),
	INT("minor_image_version", 0), INT("major_subsystem_version", 0),
	INT("minor_subsystem_version", 0), OTHER("win32_version_value_hex", 0, KIND_HEX),
	COUNT("size_of_image", 0), COUNT("size_of_headers", 0), OTHER("checksum_hex", 0, KIND_HEX),
	OTHER("subsystem_hex", 0, KIND_HEX), OTHER("dll_characteristics_hex", 0, KIND_HEX),
	COUNT("size_of_stack_reserve", 0), COUNT("size_of_stack_commit", 0),
	COUNT("size_of_heap_reserve", 0), COUNT("size_of_heap_commit", 0),
	OTHER("loader_flags_hex", 0, KIND_HEX), INT("number_of_rva_and_sizes", 0),
	OTHER("hashes", 0, KIND_HASHES), END
};
static const struct stix21_prop windows_pebinary_ext[] = {
	STRING("pe_type", R), STRING("imphash", 0), OTHER("machine_hex", 0, KIND_HEX),
	COUNT("number_of_sections", 0), TIME("time_date_stamp", 0),
	OTHER("pointer_to_symbol_table_hex", 0, KIND_HEX), COUNT("number_of_symbols", 0),
	COUNT("size_of_optional_header", 0), OTHER("characteristics_hex", 0, KIND_HEX),
	OTHER("file_header_hashes", 0, KIND_HASHES),
	OBJECT("optional_header", 0, pe_optional_header), OBJECT("sections", L, pe_section), END
};
static const struct stix21_prop http_request_ext[] = {
	STRING("request_method", R), STRING("request_value", R), STRING("request_version", 0),
	OTHER("request_header", 0, KIND_DICTIONARY), INT("message_body_length", 0),
	REF("message_body_data_ref", 0, "artifact"), END
};
static const struct stix21_prop icmp_ext[] = {
	OTHER("icmp_type_hex", R, KIND_HEX), OTHER("icmp_code_hex", R, KIND_HEX), END
};
static const struct stix21_prop socket_ext[] = {
	ENUM("address_family", R, "AF_UNSPEC AF_INET AF_IPX AF_APPLETALK AF_NETBIOS AF_INET6 "
	    "AF_IRDA AF_BTH"),
	BOOL("is_blocking", 0), BOOL("is_listening", 0), OTHER("options", 0, KIND_DICTIONARY),
	ENUM("socket_type", 0, "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET"),
	COUNT("socket_descriptor", 0), INT("socket_handle", 0), END
};
static const struct stix21_prop tcp_ext[] = {
	OTHER("src_flags_hex", 0, KIND_HEX), OTHER("dst_flags_hex", 0, KIND_HEX), END
};
static const struct stix21_prop windows_process_ext[] = {
	BOOL("aslr_enabled", 0), BOOL("dep_enabled", 0), STRING("priority", 0),
	STRING("owner_sid", 0), STRING("window_title", 0), OTHER("startup_info", 0, KIND_DICTIONARY),
	ENUM("integrity_level", 0, "low medium high system"), END
};
static const struct stix21_prop windows_service_ext[] = {
	STRING("service_name", 0), STRING("descriptions", L), STRING("display_name", 0),
	STRING("group_name", 0),
	ENUM("start_type", 0, "SERVICE_AUTO_START SERVICE_BOOT_START SERVICE_DEMAND_START "
	    "SERVICE_DISABLED SERVICE_SYSTEM_ALERT"),
	REF("service_dll_refs", L, "file"),
	ENUM("service_type", 0, "SERVICE_KERNEL_DRIVER SERVICE_FILE_SYSTEM_DRIVER "
	    "SERVICE_WIN32_OWN_PROCESS SERVICE_WIN32_SHARE_PROCESS"),
	ENUM("service_status", 0, "SERVICE_CONTINUE_PENDING SERVICE_PAUSE_PENDING SERVICE_PAUSED "
	    "SERVICE_RUNNING SERVICE_START_PENDING SERVICE_STOP_PENDING SERVICE_STOPPED"), END
};
static const struct stix21_prop unix_account_ext[] = {
	INT("gid", 0), STRING("groups", L), STRING("home_dir", 0), STRING("shell", 0), END
};

static const struct stix21_extension extensions[] = {
	{ "archive-ext", "file", archive_ext },
	{ "ntfs-ext", "file", ntfs_ext },
	{ "pdf-ext", "file", pdf_ext },
	{ "raster-image-ext", "file", raster_image_ext },
	{ "windows-pebinary-ext", "file", windows_pebinary_ext },
	{ "http-request-ext", "network-traffic", http_request_ext },
	{ "icmp-ext", "network-traffic", icmp_ext },
	{ "socket-ext", "network-traffic", socket_ext },
	{ "tcp-ext", "network-traffic", tcp_ext },
	{ "windows-process-ext", "process", windows_process_ext },
	{ "windows-service-ext", "process", windows_service_ext },
	{ "unix-account-ext", "user-account", unix_account_ext },
};

/* Return the row of a type, or NULL. */
const struct stix21_type *
stix21_type_find(struct slice type)
{
	size_t lo = 0, hi = sizeof(types) / sizeof(*types);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = slice_cmp(type, slice_of(types[mid].name));

		if (c == 0)
			return &types[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* Return the row of a predefined extension, or NULL. */
const struct stix21_extension *
stix21_extension_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
		if (slice_is(name, extensions[i].name))
			return &extensions[i];
	return NULL;
}

/* Return the row of a property, or NULL. */
const struct stix21_prop *
stix21_prop_find(const struct stix21_prop *table, const char *name)
{
	for (; table->name != NULL; table++) {
		const char *a = table->name, *b = name;

		while (*a == *b && *a != '\0')
			a++, b++;
		if (*a == *b)
			return table;
	}
	return NULL;
}
