/* stix21_types_sco.c -- see stix21_types.h: observables and their predefined extensions. It is long
 * because it is the table. */
#include <stddef.h>
#include <string.h>

#include "formats/stix21_rows.h"

#define IP_OR_NAME	"domain-name ipv4-addr ipv6-addr mac-addr"

static const struct stix21_prop common_observable[] = {
	IDENTIFIED, STRING("spec_version", 0), MARKED, BOOL("defanged", 0),
	OTHER("extensions", 0, KIND_EXTENSIONS), END
};

static const struct stix21_prop artifact[] = {
	OTHER("mime_type", 0, KIND_MIME), OTHER("payload_bin", 0, KIND_BINARY),
	OTHER("url", 0, KIND_URL), HASHES("hashes"),
	ENUM("encryption_algorithm", 0, WORDS_ENCRYPTION), STRING("decryption_key", 0), END
};
static const struct stix21_prop autonomous_system[] = {
	INT("number", R), STRING("name", 0), STRING("rir", 0), END
};
static const struct stix21_prop directory[] = {
	STRING("path", R), OTHER("path_enc", 0, KIND_CHARSET), TIME("ctime", 0), TIME("mtime", 0),
	TIME("atime", 0), REF("contains_refs", L, "directory file"), END
};
static const struct stix21_prop domain_name[] = {
	OTHER("value", R, KIND_DOMAIN),
	REF("resolves_to_refs", L, "domain-name ipv4-addr ipv6-addr"), END
};
static const struct stix21_prop email_addr[] = {
	OTHER("value", R, KIND_EMAIL), STRING("display_name", 0),
	REF("belongs_to_ref", 0, "user-account"), END
};
static const struct stix21_prop email_part[] = {
	STRING("body", 0), REF("body_raw_ref", 0, "artifact file"), STRING("content_type", 0),
	STRING("content_disposition", 0), END_ONE_OF("body body_raw_ref")
};
static const struct stix21_prop email_message[] = {
	BOOL("is_multipart", R), TIME("date", 0), STRING("content_type", 0),
	REF("from_ref", 0, "email-addr"), REF("sender_ref", 0, "email-addr"),
	REF("to_refs", L, "email-addr"), REF("cc_refs", L, "email-addr"),
	REF("bcc_refs", L, "email-addr"), STRING("message_id", 0), STRING("subject", 0),
	STRING("received_lines", L),
	DICT("additional_header_fields", 0, DICT_STRING | DICT_STRINGS), STRING("body", 0),
	OBJECT("body_multipart", L, email_part), REF("raw_email_ref", 0, "artifact"), END
};
static const struct stix21_prop file[] = {
	HASHES("hashes"), COUNT("size", 0), STRING("name", 0), OTHER("name_enc", 0, KIND_CHARSET),
	HEX("magic_number_hex", 0), OTHER("mime_type", 0, KIND_MIME), TIME("ctime", 0),
	TIME("mtime", 0), TIME("atime", 0), REF("parent_directory_ref", 0, "directory"),
	REF("contains_refs", L, "@sco"), REF("content_ref", 0, "artifact"), END
};
static const struct stix21_prop ipv4_addr[] = {
	OTHER("value", R, KIND_IPV4), REF("resolves_to_refs", L, "mac-addr"),
	REF("belongs_to_refs", L, "autonomous-system"), END
};
static const struct stix21_prop ipv6_addr[] = {
	OTHER("value", R, KIND_IPV6), REF("resolves_to_refs", L, "mac-addr"),
	REF("belongs_to_refs", L, "autonomous-system"), END
};
static const struct stix21_prop mac_addr[] = { OTHER("value", R, KIND_MAC), END };
static const struct stix21_prop url[] = { OTHER("value", R, KIND_URL), END };
static const struct stix21_prop mutex[] = { STRING("name", R), END };
static const struct stix21_prop network_traffic[] = {
	TIME("start", 0), TIME("end", 0), BOOL("is_active", 0), REF("src_ref", 0, IP_OR_NAME),
	REF("dst_ref", 0, IP_OR_NAME), INT_IN("src_port", 0, 0, 65535),
	INT_IN("dst_port", 0, 0, 65535), OTHER("protocols", R | L, KIND_LOWER),
	COUNT("src_byte_count", 0), COUNT("dst_byte_count", 0), COUNT("src_packets", 0),
	COUNT("dst_packets", 0), DICT("ipfix", 0, DICT_STRING | DICT_INT),
	REF("src_payload_ref", 0, "artifact"), REF("dst_payload_ref", 0, "artifact"),
	REF("encapsulates_refs", L, "network-traffic"),
	REF("encapsulated_by_ref", 0, "network-traffic"), END
};
static const struct stix21_prop process[] = {
	BOOL("is_hidden", 0), INT("pid", 0), TIME("created_time", 0), STRING("cwd", 0),
	STRING("command_line", 0), DICT("environment_variables", 0, 0),
	REF("opened_connection_refs", L, "network-traffic"),
	REF("creator_user_ref", 0, "user-account"), REF("image_ref", 0, "file"),
	REF("parent_ref", 0, "process"), REF("child_refs", L, "process"), END
};
static const struct stix21_prop software[] = {
	STRING("name", R), OTHER("cpe", 0, KIND_CPE), STRING("swid", 0),
	OTHER("languages", L, KIND_LANG), STRING("vendor", 0), STRING("version", 0), END
};
static const struct stix21_prop user_account[] = {
	STRING("user_id", 0), STRING("credential", 0), STRING("account_login", 0),
	VOCAB("account_type", 0, WORDS_ACCOUNT_TYPE), STRING("display_name", 0),
	BOOL("is_service_account", 0), BOOL("is_privileged", 0), BOOL("can_escalate_privs", 0),
	BOOL("is_disabled", 0), TIME("account_created", 0), TIME("account_expires", 0),
	TIME("credential_last_changed", 0), TIME("account_first_login", 0),
	TIME("account_last_login", 0), END
};
static const struct stix21_prop registry_value[] = {
	STRING("name", 0), STRING("data", 0), ENUM("data_type", 0, WORDS_REGISTRY_TYPE),
	END_ANY_OF("name data data_type")
};
static const struct stix21_prop registry_key[] = {
	OTHER("key", 0, KIND_REGKEY), OBJECT("values", L, registry_value), TIME("modified_time", 0),
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
	BOOL("is_self_signed", 0), HASHES("hashes"), STRING("version", 0),
	STRING("serial_number", 0), STRING("signature_algorithm", 0), STRING("issuer", 0),
	TIME("validity_not_before", 0), TIME("validity_not_after", 0), STRING("subject", 0),
	STRING("subject_public_key_algorithm", 0), STRING("subject_public_key_modulus", 0),
	INT("subject_public_key_exponent", 0), OBJECT("x509_v3_extensions", 0, x509_v3), END
};

#define ANY_OWN	RULES({ RULE_ANY_OWN, NULL, NULL })

/* Sorted by name. */
static const struct stix21_type observables[] = {
	{ "artifact", common_observable, artifact, RULES(
	    { RULE_NOT_BOTH, "payload_bin", "url" }, { RULE_NEEDS, "url", "hashes" },
	    { RULE_NEEDS, "decryption_key", "encryption_algorithm" },
	    { RULE_ONE_OF, "payload_bin url hashes", NULL }), SPECIAL_NONE },
	{ "autonomous-system", common_observable, autonomous_system, NULL, SPECIAL_NONE },
	{ "directory", common_observable, directory, NULL, SPECIAL_NONE },
	{ "domain-name", common_observable, domain_name, NULL, SPECIAL_NONE },
	{ "email-addr", common_observable, email_addr, NULL, SPECIAL_NONE },
	{ "email-message", common_observable, email_message, RULES(
	    { RULE_NOT_IF_TRUE, "is_multipart", "body" },
	    { RULE_ONLY_IF_TRUE, "is_multipart", "body_multipart" }), SPECIAL_NONE },
	{ "file", common_observable, file, RULES({ RULE_ONE_OF, "hashes name", NULL }), SPECIAL_NONE },
	{ "ipv4-addr", common_observable, ipv4_addr, NULL, SPECIAL_NONE },
	{ "ipv6-addr", common_observable, ipv6_addr, NULL, SPECIAL_NONE },
	{ "mac-addr", common_observable, mac_addr, NULL, SPECIAL_NONE },
	{ "mutex", common_observable, mutex, NULL, SPECIAL_NONE },
	{ "network-traffic", common_observable, network_traffic, RULES(
	    { RULE_ONE_OF, "src_ref dst_ref", NULL }, { RULE_ORDER, "start", "end" },
	    { RULE_NOT_IF_TRUE, "is_active", "end" }), SPECIAL_NONE },
	{ "process", common_observable, process, ANY_OWN, SPECIAL_NONE },
	{ "software", common_observable, software, NULL, SPECIAL_NONE },
	{ "url", common_observable, url, NULL, SPECIAL_NONE },
	{ "user-account", common_observable, user_account, ANY_OWN, SPECIAL_NONE },
	{ "windows-registry-key", common_observable, registry_key, ANY_OWN, SPECIAL_NONE },
	{ "x509-certificate", common_observable, x509_certificate, ANY_OWN, SPECIAL_NONE },
};

const struct stix21_type *
stix21_observables(size_t *n)
{
	*n = sizeof(observables) / sizeof(*observables);
	return observables;
}

/* Predefined extensions. */
static const struct stix21_prop archive_ext[] = {
	REF("contains_refs", R | L, "directory file"), STRING("comment", 0), END
};
static const struct stix21_prop data_stream[] = {
	STRING("name", R), HASHES("hashes"), COUNT("size", 0), END
};
static const struct stix21_prop ntfs_ext[] = {
	STRING("sid", 0), OBJECT("alternate_data_streams", L, data_stream),
	END_ANY_OF("sid alternate_data_streams")
};
static const struct stix21_prop pdf_ext[] = {
	STRING("version", 0), BOOL("is_optimized", 0), DICT("document_info_dict", 0, DICT_STRING),
	STRING("pdfid0", 0), STRING("pdfid1", 0),
	END_ANY_OF("version is_optimized document_info_dict pdfid0 pdfid1")
};
static const struct stix21_prop raster_image_ext[] = {
	INT("image_height", 0), INT("image_width", 0), INT("bits_per_pixel", 0),
	DICT("exif_tags", 0, DICT_STRING | DICT_INT),
	END_ANY_OF("image_height image_width bits_per_pixel exif_tags")
};
static const struct stix21_prop pe_section[] = {
	STRING("name", R), COUNT("size", 0), NUMBER("entropy", 0), HASHES("hashes"), END
};
static const struct stix21_prop pe_optional_header[] = {
	HEX("magic_hex", 0), INT("major_linker_version", 0), INT("minor_linker_version", 0),
	COUNT("size_of_code", 0), COUNT("size_of_initialized_data", 0),
	COUNT("size_of_uninitialized_data", 0), INT("address_of_entry_point", 0),
	INT("base_of_code", 0), INT("base_of_data", 0), INT("image_base", 0),
	INT("section_alignment", 0), INT("file_alignment", 0), INT("major_os_version", 0),
	INT("minor_os_version", 0), INT("major_image_version", 0), INT("minor_image_version", 0),
	INT("major_subsystem_version", 0), INT("minor_subsystem_version", 0),
	HEX("win32_version_value_hex", 0), COUNT("size_of_image", 0), COUNT("size_of_headers", 0),
	HEX("checksum_hex", 0), HEX("subsystem_hex", 0), HEX("dll_characteristics_hex", 0),
	COUNT("size_of_stack_reserve", 0), COUNT("size_of_stack_commit", 0),
	COUNT("size_of_heap_reserve", 0), COUNT("size_of_heap_commit", 0),
	HEX("loader_flags_hex", 0), INT("number_of_rva_and_sizes", 0), HASHES("hashes"), END
};
static const struct stix21_prop windows_pebinary_ext[] = {
	VOCAB("pe_type", R, WORDS_PE_TYPE), STRING("imphash", 0), HEX("machine_hex", 0),
	COUNT("number_of_sections", 0), TIME("time_date_stamp", 0),
	HEX("pointer_to_symbol_table_hex", 0), COUNT("number_of_symbols", 0),
	COUNT("size_of_optional_header", 0), HEX("characteristics_hex", 0),
	HASHES("file_header_hashes"), OBJECT("optional_header", 0, pe_optional_header),
	OBJECT("sections", L, pe_section), END
};
static const struct stix21_prop http_request_ext[] = {
	STRING("request_method", R), STRING("request_value", R), STRING("request_version", 0),
	DICT("request_header", 0, DICT_STRINGS), INT("message_body_length", 0),
	REF("message_body_data_ref", 0, "artifact"), END
};
static const struct stix21_prop icmp_ext[] = {
	HEX("icmp_type_hex", R), HEX("icmp_code_hex", R), END
};
static const struct stix21_prop socket_ext[] = {
	ENUM("address_family", R, WORDS_ADDRESS_FAMILY), BOOL("is_blocking", 0),
	BOOL("is_listening", 0),
	ROW("options", KIND_DICTIONARY, 0, WORDS_SOCKET_OPTION, NULL, DICT_INT, DICT_INT),
	ENUM("socket_type", 0, WORDS_SOCKET_TYPE), COUNT("socket_descriptor", 0),
	INT("socket_handle", 0), END
};
static const struct stix21_prop tcp_ext[] = {
	HEX("src_flags_hex", 0), HEX("dst_flags_hex", 0), END_ANY_OF("src_flags_hex dst_flags_hex")
};
static const struct stix21_prop windows_process_ext[] = {
	BOOL("aslr_enabled", 0), BOOL("dep_enabled", 0), STRING("priority", 0),
	STRING("owner_sid", 0), STRING("window_title", 0), DICT("startup_info", 0, 0),
	ENUM("integrity_level", 0, WORDS_INTEGRITY),
	END_ANY_OF("aslr_enabled dep_enabled priority owner_sid window_title startup_info "
	    "integrity_level")
};
static const struct stix21_prop windows_service_ext[] = {
	STRING("service_name", 0), STRING("descriptions", L), STRING("display_name", 0),
	STRING("group_name", 0), ENUM("start_type", 0, WORDS_SERVICE_START),
	REF("service_dll_refs", L, "file"), ENUM("service_type", 0, WORDS_SERVICE_TYPE),
	ENUM("service_status", 0, WORDS_SERVICE_STATUS),
	END_ANY_OF("service_name descriptions display_name group_name start_type service_dll_refs "
	    "service_type service_status")
};
static const struct stix21_prop unix_account_ext[] = {
	INT("gid", 0), STRING("groups", L), STRING("home_dir", 0), STRING("shell", 0),
	END_ANY_OF("gid groups home_dir shell")
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

/* Return the row of a predefined extension, or NULL. */
const struct stix21_extension *
stix21_extension_find(const char *name)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
		if (strcmp(name, extensions[i].name) == 0)
			return &extensions[i];
	return NULL;
}
