/* misp_templates.c -- object templates of MISP that describe an observable, and where STIX keeps what they
 * say. See misp.h. */
#include "formats/misp.h"

#define HTTP	"network-traffic:extensions.'http-request-ext'."
#define HEADER	"email-message:additional_header_fields."
#define UNIX	"user-account:extensions.'unix-account-ext'."
#define END	{ NULL, NULL, { NULL, MISP_TEXT } }

static const struct misp_relation file[] = {
	{ "filename", "filename", { "file:name", MISP_TEXT } },
	{ "md5", "md5", { "file:hashes.MD5", MISP_HASH } },
	{ "sha1", "sha1", { "file:hashes.'SHA-1'", MISP_HASH } },
	{ "sha224", "sha224", { "file:hashes.'SHA-224'", MISP_HASH } },
	{ "sha256", "sha256", { "file:hashes.'SHA-256'", MISP_HASH } },
	{ "sha384", "sha384", { "file:hashes.'SHA-384'", MISP_HASH } },
	{ "sha512", "sha512", { "file:hashes.'SHA-512'", MISP_HASH } },
	{ "sha512/224", "sha512/224", { "file:hashes.'SHA512-224'", MISP_HASH } },
	{ "sha512/256", "sha512/256", { "file:hashes.'SHA512-256'", MISP_HASH } },
	{ "sha3-224", "sha3-224", { "file:hashes.'SHA3-224'", MISP_HASH } },
	{ "sha3-256", "sha3-256", { "file:hashes.'SHA3-256'", MISP_HASH } },
	{ "sha3-384", "sha3-384", { "file:hashes.'SHA3-384'", MISP_HASH } },
	{ "sha3-512", "sha3-512", { "file:hashes.'SHA3-512'", MISP_HASH } },
	{ "ssdeep", "ssdeep", { "file:hashes.SSDEEP", MISP_HASH } },
	{ "tlsh", "tlsh", { "file:hashes.TLSH", MISP_HASH } },
	{ "authentihash", "authentihash", { "file:hashes.AUTHENTIHASH", MISP_HASH } },
	{ "imphash", "imphash", { "file:hashes.IMPHASH", MISP_HASH } },
	{ "vhash", "vhash", { "file:hashes.VHASH", MISP_HASH } },
	{ "telfhash", "telfhash", { "file:hashes.TELFHASH", MISP_HASH } },
	{ "size-in-bytes", "size-in-bytes", { "file:size", MISP_NUMBER } },
	{ "mimetype", "mime-type", { "file:mime_type", MISP_TEXT } },
	{ "file-encoding", "text", { "file:name_enc", MISP_TEXT } },
	{ "path", "text", { "file:parent_directory_ref.path", MISP_TEXT } },
	{ "creation-time", "datetime", { "file:ctime", MISP_TIME } },
	{ "modification-time", "datetime", { "file:mtime", MISP_TIME } },
	{ "access-time", "datetime", { "file:atime", MISP_TIME } }, END
};

static const struct misp_relation lnk[] = {
	{ "filename", "filename", { "file:name", MISP_TEXT } },
	{ "md5", "md5", { "file:hashes.MD5", MISP_HASH } },
	{ "sha1", "sha1", { "file:hashes.'SHA-1'", MISP_HASH } },
	{ "sha224", "sha224", { "file:hashes.'SHA-224'", MISP_HASH } },
	{ "sha256", "sha256", { "file:hashes.'SHA-256'", MISP_HASH } },
	{ "sha384", "sha384", { "file:hashes.'SHA-384'", MISP_HASH } },
	{ "sha512", "sha512", { "file:hashes.'SHA-512'", MISP_HASH } },
	{ "sha512/224", "sha512/224", { "file:hashes.'SHA512-224'", MISP_HASH } },
	{ "sha512/256", "sha512/256", { "file:hashes.'SHA512-256'", MISP_HASH } },
	{ "ssdeep", "ssdeep", { "file:hashes.SSDEEP", MISP_HASH } },
	{ "tlsh", "tlsh", { "file:hashes.TLSH", MISP_HASH } },
	{ "size-in-bytes", "size-in-bytes", { "file:size", MISP_NUMBER } },
	{ "path", "text", { "file:parent_directory_ref.path", MISP_TEXT } },
	{ "fullpath", "text", { "file:parent_directory_ref.path", MISP_TEXT } },
	{ "lnk-creation-time", "datetime", { "file:ctime", MISP_TIME } },
	{ "lnk-modification-time", "datetime", { "file:mtime", MISP_TIME } },
	{ "lnk-access-time", "datetime", { "file:atime", MISP_TIME } }, END
};

static const struct misp_relation image[] = {
	{ "filename", "filename", { "file:name", MISP_TEXT } }, END
};

static const struct misp_relation domain_ip[] = {
	{ "domain", "domain", { "domain-name:value", MISP_DOMAIN } },
	{ "hostname", "hostname", { "domain-name:value", MISP_DOMAIN } },
	{ "ip", "ip-dst", { "domain-name:resolves_to_refs[*].value", MISP_IP } }, END
};

static const struct misp_relation network_connection[] = {
	{ "ip-src", "ip-src", { "network-traffic:src_ref.value", MISP_IP } },
	{ "ip-dst", "ip-dst", { "network-traffic:dst_ref.value", MISP_IP } },
	{ "hostname-src", "hostname", { "network-traffic:src_ref.value", MISP_DOMAIN } },
	{ "hostname-dst", "hostname", { "network-traffic:dst_ref.value", MISP_DOMAIN } },
	{ "mac-src", "mac-address", { "network-traffic:src_ref.value", MISP_MAC } },
	{ "mac-dst", "mac-address", { "network-traffic:dst_ref.value", MISP_MAC } },
	{ "src-port", "port", { "network-traffic:src_port", MISP_PORT } },
	{ "dst-port", "port", { "network-traffic:dst_port", MISP_PORT } },
	{ "layer3-protocol", "text", { "network-traffic:protocols[*]", MISP_PROTO } },
	{ "layer4-protocol", "text", { "network-traffic:protocols[*]", MISP_PROTO } },
	{ "layer7-protocol", "text", { "network-traffic:protocols[*]", MISP_PROTO } },
	{ "src-bytes-count", "size-in-bytes", { "network-traffic:src_byte_count", MISP_NUMBER } },
	{ "dst-bytes-count", "size-in-bytes", { "network-traffic:dst_byte_count", MISP_NUMBER } },
	{ "src-packets-count", "counter", { "network-traffic:src_packets", MISP_NUMBER } },
	{ "dst-packets-count", "counter", { "network-traffic:dst_packets", MISP_NUMBER } },
	{ "first-packet-seen", "datetime", { "network-traffic:start", MISP_TIME } },
	{ "last-packet-seen", "datetime", { "network-traffic:end", MISP_TIME } }, END
};

static const struct misp_relation network_socket[] = {
	{ "ip-src", "ip-src", { "network-traffic:src_ref.value", MISP_IP } },
	{ "ip-dst", "ip-dst", { "network-traffic:dst_ref.value", MISP_IP } },
	{ "hostname-src", "hostname", { "network-traffic:src_ref.value", MISP_DOMAIN } },
	{ "hostname-dst", "hostname", { "network-traffic:dst_ref.value", MISP_DOMAIN } },
	{ "mac-src", "mac-address", { "network-traffic:src_ref.value", MISP_MAC } },
	{ "mac-dst", "mac-address", { "network-traffic:dst_ref.value", MISP_MAC } },
	{ "src-port", "port", { "network-traffic:src_port", MISP_PORT } },
	{ "dst-port", "port", { "network-traffic:dst_port", MISP_PORT } },
	{ "protocol", "text", { "network-traffic:protocols[*]", MISP_PROTO } },
	{ "address-family", "text",
	    { "network-traffic:extensions.'socket-ext'.address_family", MISP_TEXT } },
	{ "socket-type", "text",
	    { "network-traffic:extensions.'socket-ext'.socket_type", MISP_TEXT } },
	{ "src-bytes-count", "size-in-bytes", { "network-traffic:src_byte_count", MISP_NUMBER } },
	{ "dst-bytes-count", "size-in-bytes", { "network-traffic:dst_byte_count", MISP_NUMBER } },
	{ "src-packets-count", "counter", { "network-traffic:src_packets", MISP_NUMBER } },
	{ "dst-packets-count", "counter", { "network-traffic:dst_packets", MISP_NUMBER } },
	{ "first-packet-seen", "datetime", { "network-traffic:start", MISP_TIME } },
	{ "last-packet-seen", "datetime", { "network-traffic:end", MISP_TIME } }, END
};

static const struct misp_relation network_traffic[] = {
	{ "src_ip", "ip-dst", { "network-traffic:src_ref.value", MISP_IP } },
	{ "dst_ip", "ip-dst", { "network-traffic:dst_ref.value", MISP_IP } },
	{ "src_hostname", "hostname", { "network-traffic:src_ref.value", MISP_DOMAIN } },
	{ "dst_hostname", "hostname", { "network-traffic:dst_ref.value", MISP_DOMAIN } },
	{ "src_mac", "mac-address", { "network-traffic:src_ref.value", MISP_MAC } },
	{ "dst_mac", "mac-address", { "network-traffic:dst_ref.value", MISP_MAC } },
	{ "src_port", "port", { "network-traffic:src_port", MISP_PORT } },
	{ "dst_port", "port", { "network-traffic:dst_port", MISP_PORT } },
	{ "protocol", "text", { "network-traffic:protocols[*]", MISP_PROTO } },
	{ "src_bytes_count", "size-in-bytes", { "network-traffic:src_byte_count", MISP_NUMBER } },
	{ "dst_bytes_count", "size-in-bytes", { "network-traffic:dst_byte_count", MISP_NUMBER } },
	{ "src_packets", "counter", { "network-traffic:src_packets", MISP_NUMBER } },
	{ "dst_packets", "counter", { "network-traffic:dst_packets", MISP_NUMBER } },
	{ "start_time", "datetime", { "network-traffic:start", MISP_TIME } },
	{ "end_time", "datetime", { "network-traffic:end", MISP_TIME } },
	{ "is_active", "boolean", { "network-traffic:is_active", MISP_BOOL } }, END
};

static const struct misp_relation ip_port[] = {
	{ "ip", "ip-dst", { "network-traffic:dst_ref.value", MISP_IP } },
	{ "ip-dst", "ip-dst", { "network-traffic:dst_ref.value", MISP_IP } },
	{ "ip-src", "ip-src", { "network-traffic:src_ref.value", MISP_IP } },
	{ "hostname", "hostname", { "network-traffic:dst_ref.value", MISP_DOMAIN } },
	{ "domain", "domain", { "network-traffic:dst_ref.value", MISP_DOMAIN } },
	{ "dst-port", "port", { "network-traffic:dst_port", MISP_PORT } },
	{ "src-port", "port", { "network-traffic:src_port", MISP_PORT } },
	{ "protocol", "text", { "network-traffic:protocols[*]", MISP_PROTO } },
	{ "first-seen", "datetime", { "network-traffic:start", MISP_TIME } },
	{ "last-seen", "datetime", { "network-traffic:end", MISP_TIME } }, END
};

static const struct misp_relation netflow[] = {
	{ "ip-src", "ip-src", { "network-traffic:src_ref.value", MISP_IP } },
	{ "ip-dst", "ip-dst", { "network-traffic:dst_ref.value", MISP_IP } },
	{ "src-port", "port", { "network-traffic:src_port", MISP_PORT } },
	{ "dst-port", "port", { "network-traffic:dst_port", MISP_PORT } },
	{ "protocol", "text", { "network-traffic:protocols[*]", MISP_PROTO } },
	{ "byte-count", "size-in-bytes", { "network-traffic:src_byte_count", MISP_NUMBER } },
	{ "packet-count", "counter", { "network-traffic:src_packets", MISP_NUMBER } },
	{ "first-packet-seen", "datetime", { "network-traffic:start", MISP_TIME } },
	{ "last-packet-seen", "datetime", { "network-traffic:end", MISP_TIME } },
	{ "tcp-flags", "text",
	    { "network-traffic:extensions.'tcp-ext'.src_flags_hex", MISP_TEXT } },
	END
};

static const struct misp_relation http_request[] = {
	{ "ip-src", "ip-src", { "network-traffic:src_ref.value", MISP_IP } },
	{ "ip-dst", "ip-dst", { "network-traffic:dst_ref.value", MISP_IP } },
	{ "host", "hostname", { "network-traffic:dst_ref.value", MISP_DOMAIN } },
	{ "method", "http-method", { HTTP "request_method", MISP_TEXT } },
	{ "uri", "uri", { HTTP "request_value", MISP_TEXT } },
	{ "user-agent", "user-agent", { HTTP "request_header.'User-Agent'", MISP_TEXT } },
	{ "content-type", "other", { HTTP "request_header.'Content-Type'", MISP_TEXT } },
	{ "cookie", "text", { HTTP "request_header.Cookie", MISP_TEXT } },
	{ "referer", "other", { HTTP "request_header.Referer", MISP_TEXT } }, END
};

static const struct misp_relation email[] = {
	{ "from", "email-src", { "email-message:from_ref.value", MISP_EMAIL } },
	{ "from-display-name", "email-src-display-name",
	    { "email-message:from_ref.display_name", MISP_TEXT } },
	{ "to", "email-dst", { "email-message:to_refs[*].value", MISP_EMAIL } },
	{ "to-display-name", "email-dst-display-name",
	    { "email-message:to_refs[*].display_name", MISP_TEXT } },
	{ "cc", "email-dst", { "email-message:cc_refs[*].value", MISP_EMAIL } },
	{ "cc-display-name", "email-dst-display-name",
	    { "email-message:cc_refs[*].display_name", MISP_TEXT } },
	{ "bcc", "email-dst", { "email-message:bcc_refs[*].value", MISP_EMAIL } },
	{ "bcc-display-name", "email-dst-display-name",
	    { "email-message:bcc_refs[*].display_name", MISP_TEXT } },
	{ "subject", "email-subject", { "email-message:subject", MISP_TEXT } },
	{ "message-id", "email-message-id", { "email-message:message_id", MISP_TEXT } },
	{ "send-date", "datetime", { "email-message:date", MISP_TIME } },
	{ "email-body", "email-body", { "email-message:body", MISP_TEXT } },
	{ "header", "email-header", { "email-message:received_lines[*]", MISP_TEXT } },
	{ "reply-to", "email-reply-to", { HEADER "'Reply-To'", MISP_TEXT } },
	{ "x-mailer", "email-x-mailer", { HEADER "'X-Mailer'", MISP_TEXT } },
	{ "user-agent", "text", { HEADER "'User-Agent'", MISP_TEXT } },
	{ "mime-boundary", "email-mime-boundary", { HEADER "'MIME-Boundary'", MISP_TEXT } },
	{ "thread-index", "email-thread-index", { HEADER "'Thread-Index'", MISP_TEXT } },
	{ "return-path", "email-src", { HEADER "'Return-Path'", MISP_TEXT } },
	{ "attachment", "email-attachment",
	    { "email-message:body_multipart[*].body_raw_ref.name", MISP_TEXT } },
	END
};

static const struct misp_relation registry_key[] = {
	{ "key", "regkey", { "windows-registry-key:key", MISP_REGKEY } },
	{ "name", "text", { "windows-registry-key:values[*].name", MISP_TEXT } },
	{ "data", "text", { "windows-registry-key:values[*].data", MISP_TEXT } },
	{ "data-type", "text", { "windows-registry-key:values[*].data_type", MISP_TEXT } },
	{ "last-modified", "datetime", { "windows-registry-key:modified_time", MISP_TIME } }, END
};

static const struct misp_relation process[] = {
	{ "pid", "text", { "process:pid", MISP_NUMBER } },
	{ "command-line", "text", { "process:command_line", MISP_TEXT } },
	{ "current-directory", "text", { "process:cwd", MISP_TEXT } },
	{ "creation-time", "datetime", { "process:created_time", MISP_TIME } },
	{ "image", "filename", { "process:image_ref.name", MISP_TEXT } },
	{ "hidden", "boolean", { "process:is_hidden", MISP_BOOL } },
	{ "parent-pid", "text", { "process:parent_ref.pid", MISP_NUMBER } },
	{ "parent-command-line", "text", { "process:parent_ref.command_line", MISP_TEXT } },
	{ "parent-image", "filename", { "process:parent_ref.image_ref.name", MISP_TEXT } },
	{ "child-pid", "text", { "process:child_refs[*].pid", MISP_NUMBER } }, END
};

static const struct misp_relation x509[] = {
	{ "x509-fingerprint-md5", "x509-fingerprint-md5",
	    { "x509-certificate:hashes.MD5", MISP_HASH } },
	{ "x509-fingerprint-sha1", "x509-fingerprint-sha1",
	    { "x509-certificate:hashes.'SHA-1'", MISP_HASH } },
	{ "x509-fingerprint-sha256", "x509-fingerprint-sha256",
	    { "x509-certificate:hashes.'SHA-256'", MISP_HASH } },
	{ "serial-number", "text", { "x509-certificate:serial_number", MISP_TEXT } },
	{ "issuer", "text", { "x509-certificate:issuer", MISP_TEXT } },
	{ "subject", "text", { "x509-certificate:subject", MISP_TEXT } },
	{ "version", "text", { "x509-certificate:version", MISP_TEXT } },
	{ "signature_algorithm", "text", { "x509-certificate:signature_algorithm", MISP_TEXT } },
	{ "validity-not-before", "datetime",
	    { "x509-certificate:validity_not_before", MISP_TIME } },
	{ "validity-not-after", "datetime", { "x509-certificate:validity_not_after", MISP_TIME } },
	{ "is_self_signed", "boolean", { "x509-certificate:is_self_signed", MISP_BOOL } },
	{ "self_signed", "boolean", { "x509-certificate:is_self_signed", MISP_BOOL } },
	{ "pubkey-info-algorithm", "text",
	    { "x509-certificate:subject_public_key_algorithm", MISP_TEXT } },
	{ "pubkey-info-modulus", "text",
	    { "x509-certificate:subject_public_key_modulus", MISP_TEXT } },
	{ "pubkey-info-exponent", "text",
	    { "x509-certificate:subject_public_key_exponent", MISP_NUMBER } },
	END
};

static const struct misp_relation url[] = {
	{ "url", "url", { "url:value", MISP_URL } }, END
};

static const struct misp_relation user_account[] = {
	{ "username", "text", { "user-account:account_login", MISP_TEXT } },
	{ "user-id", "text", { "user-account:user_id", MISP_TEXT } },
	{ "account-type", "text", { "user-account:account_type", MISP_TEXT } },
	{ "display-name", "text", { "user-account:display_name", MISP_TEXT } },
	{ "password", "text", { "user-account:credential", MISP_TEXT } },
	{ "can_escalate_privs", "boolean", { "user-account:can_escalate_privs", MISP_BOOL } },
	{ "disabled", "boolean", { "user-account:is_disabled", MISP_BOOL } },
	{ "privileged", "boolean", { "user-account:is_privileged", MISP_BOOL } },
	{ "is_service_account", "boolean", { "user-account:is_service_account", MISP_BOOL } },
	{ "created", "datetime", { "user-account:account_created", MISP_TIME } },
	{ "expires", "datetime", { "user-account:account_expires", MISP_TIME } },
	{ "first_login", "datetime", { "user-account:account_first_login", MISP_TIME } },
	{ "last_login", "datetime", { "user-account:account_last_login", MISP_TIME } },
	{ "password_last_changed", "datetime",
	    { "user-account:credential_last_changed", MISP_TIME } },
	{ "home_dir", "text", { UNIX "home_dir", MISP_TEXT } },
	{ "shell", "text", { UNIX "shell", MISP_TEXT } },
	{ "group-id", "text", { UNIX "gid", MISP_NUMBER } },
	{ "group", "text", { UNIX "groups[*]", MISP_TEXT } }, END
};

static const struct misp_relation credential[] = {
	{ "username", "text", { "user-account:user_id", MISP_TEXT } },
	{ "password", "text", { "user-account:credential", MISP_TEXT } }, END
};

/* Facebook, Parler, Reddit. */
static const struct misp_relation named_account[] = {
	{ "account-id", "text", { "user-account:user_id", MISP_TEXT } },
	{ "account-name", "text", { "user-account:account_login", MISP_TEXT } }, END
};

static const struct misp_relation twitter_account[] = {
	{ "id", "text", { "user-account:user_id", MISP_TEXT } },
	{ "name", "text", { "user-account:account_login", MISP_TEXT } },
	{ "displayed-name", "text", { "user-account:display_name", MISP_TEXT } }, END
};

static const struct misp_relation telegram_account[] = {
	{ "id", "text", { "user-account:user_id", MISP_TEXT } },
	{ "username", "text", { "user-account:account_login", MISP_TEXT } }, END
};

static const struct misp_relation github_user[] = {
	{ "id", "text", { "user-account:user_id", MISP_TEXT } },
	{ "username", "github-username", { "user-account:account_login", MISP_TEXT } },
	{ "user-fullname", "text", { "user-account:display_name", MISP_TEXT } }, END
};

static const struct misp_relation gitlab_user[] = {
	{ "id", "text", { "user-account:user_id", MISP_TEXT } },
	{ "username", "text", { "user-account:account_login", MISP_TEXT } },
	{ "name", "text", { "user-account:display_name", MISP_TEXT } }, END
};

static const struct misp_relation asn[] = {
	{ "asn", "AS", { "autonomous-system:number", MISP_ASN } },
	{ "description", "text", { "autonomous-system:name", MISP_TEXT } },
	{ "name", "text", { "autonomous-system:name", MISP_TEXT } }, END
};

static const struct misp_relation mutex[] = {
	{ "name", "text", { "mutex:name", MISP_TEXT } }, END
};

static const struct misp_relation directory[] = {
	{ "path", "text", { "directory:path", MISP_TEXT } },
	{ "path-encoding", "text", { "directory:path_enc", MISP_TEXT } },
	{ "creation-time", "datetime", { "directory:ctime", MISP_TIME } },
	{ "modification-time", "datetime", { "directory:mtime", MISP_TIME } },
	{ "access-time", "datetime", { "directory:atime", MISP_TIME } }, END
};

static const struct misp_relation software[] = {
	{ "name", "text", { "software:name", MISP_TEXT } },
	{ "cpe", "cpe", { "software:cpe", MISP_TEXT } },
	{ "swid", "text", { "software:swid", MISP_TEXT } },
	{ "language", "text", { "software:languages[*]", MISP_TEXT } },
	{ "vendor", "text", { "software:vendor", MISP_TEXT } },
	{ "version", "text", { "software:version", MISP_TEXT } }, END
};

static const struct misp_relation cpe_asset[] = {
	{ "product", "text", { "software:name", MISP_TEXT } },
	{ "cpe", "cpe", { "software:cpe", MISP_TEXT } },
	{ "language", "text", { "software:languages[*]", MISP_TEXT } },
	{ "vendor", "text", { "software:vendor", MISP_TEXT } },
	{ "version", "text", { "software:version", MISP_TEXT } }, END
};

static const struct misp_relation android_app[] = {
	{ "name", "text", { "software:name", MISP_TEXT } }, END
};

static const struct misp_relation artifact[] = {
	{ "md5", "md5", { "artifact:hashes.MD5", MISP_HASH } },
	{ "sha1", "sha1", { "artifact:hashes.'SHA-1'", MISP_HASH } },
	{ "sha256", "sha256", { "artifact:hashes.'SHA-256'", MISP_HASH } },
	{ "sha512", "sha512", { "artifact:hashes.'SHA-512'", MISP_HASH } },
	{ "sha3-256", "sha3-256", { "artifact:hashes.'SHA3-256'", MISP_HASH } },
	{ "sha3-512", "sha3-512", { "artifact:hashes.'SHA3-512'", MISP_HASH } },
	{ "ssdeep", "ssdeep", { "artifact:hashes.SSDEEP", MISP_HASH } },
	{ "tlsh", "tlsh", { "artifact:hashes.TLSH", MISP_HASH } },
	{ "mime_type", "mime-type", { "artifact:mime_type", MISP_TEXT } },
	{ "url", "url", { "artifact:url", MISP_URL } },
	{ "encryption_algorithm", "text", { "artifact:encryption_algorithm", MISP_TEXT } },
	{ "decryption_key", "text", { "artifact:decryption_key", MISP_TEXT } }, END
};

static const struct misp_relation hashlookup[] = {
	{ "FileName", "filename", { "file:name", MISP_TEXT } },
	{ "MD5", "md5", { "file:hashes.MD5", MISP_HASH } },
	{ "SHA-1", "sha1", { "file:hashes.'SHA-1'", MISP_HASH } },
	{ "SHA-256", "sha256", { "file:hashes.'SHA-256'", MISP_HASH } },
	{ "SSDEEP", "ssdeep", { "file:hashes.SSDEEP", MISP_HASH } },
	{ "TLSH", "tlsh", { "file:hashes.TLSH", MISP_HASH } },
	{ "FileSize", "size-in-bytes", { "file:size", MISP_NUMBER } }, END
};

static const char file_others[] =
	"attachment:attachment certificate:x509-fingerprint-sha1 compilation-timestamp:datetime "
	"dom-hash:dom-hash entropy:float fullpath:text magic:text malware-sample:malware-sample "
	"pattern-in-file:pattern-in-file state:text text:text";

static const char lnk_others[] =
	"birth-droid-file-identifier:text birth-droid-volume-identifier:text "
	"droid-file-identifier:text droid-volume-identifier:text entropy:float "
	"lnk-command-line-arguments:text lnk-description:text lnk-drive-serial-number:text "
	"lnk-drive-type:text lnk-file-attribute-flags:text lnk-file-size:size-in-bytes "
	"lnk-hot-key-value:text lnk-icon-index:text lnk-local-path:text lnk-mft-object:text "
	"lnk-propertystore-sid:text lnk-relative-path:text lnk-show-window-value:text "
	"lnk-volume-label:text lnk-working-directory:text machine-identifier:text "
	"malware-sample:malware-sample pattern-in-file:pattern-in-file state:text text:text";

static const char image_others[] =
	"archive:link attachment:attachment image-text:text link:link url:url username:text";

static const char domain_ip_others[] =
	"first-seen:datetime last-seen:datetime port:port registration-date:datetime text:text";

static const char network_connection_others[] =
	"community-id:community-id count:counter";

static const char network_socket_others[] =
	"domain-family:text filename:filename option:text state:text";

static const char ip_port_others[] =
	"AS:AS country-code:text ptr-record:domain text:text";

static const char netflow_others[] =
	"community-id:community-id direction:text dst-as:AS flow-count:counter icmp-type:text "
	"ip-protocol-number:integer ip_version:integer src-as:AS";

static const char http_request_others[] =
	"basicauth-password:text basicauth-user:text header:text proxy-password:text "
	"proxy-user:text text:text url:url";

static const char email_others[] =
	"email-body-attachment:attachment eml:attachment from-domain:domain ip-src:ip-src "
	"msg:attachment received-header-hostname:hostname received-header-ip:ip-src "
	"reply-to-display-name:email-dst-display-name screenshot:attachment";

static const char registry_key_others[] =
	"hive:text root-keys:text";

static const char process_others[] =
	"args:text environment-variables:text fake-process-name:boolean guid:text "
	"integrity-level:text name:text parent-guid:text parent-process-name:text "
	"parent-process-path:text pgid:text port:port process-state:process-state "
	"start-time:datetime user-creator:text user-process:text";

static const char x509_others[] =
	"dns_names:hostname email:email-dst extended_key_usage:text ip:ip-dst is_ca:boolean "
	"issuer-common-name:text issuer-country:text issuer-distinguished-name-qualifier:text "
	"issuer-generation-qualifier:text issuer-given-name:text issuer-initials:text "
	"issuer-key-id:text issuer-locality:text issuer-organization:text "
	"issuer-organizational-unit:text issuer-pseudonym:text issuer-serial-number:text "
	"issuer-state-or-province-name:text issuer-surname:text issuer-title:text "
	"issuing_certificate:uri key_usage:text ocsp_server:uri pem:text pubkey-info-size:text "
	"raw-base64:text rid:text subject-common-name:text subject-country:text "
	"subject-distinguished-name-qualifier:text subject-generation-qualifier:text "
	"subject-given-name:text subject-initials:text subject-key-id:text subject-locality:text "
	"subject-organization:text subject-organizational-unit:text subject-pseudonym:text "
	"subject-serial-number:text subject-state-or-province-name:text subject-surname:text "
	"subject-title:text text:text uri:uri";

static const char url_others[] =
	"credential:text dom-hash:dom-hash domain:domain domain_without_tld:text "
	"first-seen:datetime fragment:text host:hostname ip:ip-dst last-seen:datetime port:port "
	"query_string:text resource_path:text scheme:text subdomain:text text:text tld:text";

static const char user_account_others[] =
	"description:text email:email link:link user-avatar:attachment";

static const char credential_others[] =
	"format:text notification:text origin:text text:text type:text use-at:link";

static const char facebook_account_others[] =
	"archive:link attachment:attachment description:text link:link url:url "
	"user-avatar:attachment";

static const char parler_account_others[] =
	"archive:link attachment:attachment badge:float bio:text comments:text "
	"cover-photo:attachment followers:text following:text human:boolean interactions:float "
	"likes:text link:link posts:text profile-photo:attachment score:text url:url "
	"verified:boolean";

static const char reddit_account_others[] =
	"account-avatar:attachment account-avatar-url:url archive:link attachment:attachment "
	"description:text link:link moderator-of:text trophies:text url:url";

static const char twitter_account_others[] =
	"archive:link attachment:attachment bio:text description:text embedded-link:url "
	"embedded-safe-link:link followers:text following:text hashtag:text joined-date:datetime "
	"likes:text link:link listed:text location:text media:text private:text "
	"profile-banner:attachment profile-banner-url:url profile-image:attachment "
	"profile-image-url:url tweets:text twitter-followers:text twitter-following:text url:url "
	"verified:text";

static const char telegram_account_others[] =
	"first_name:text last_name:text phone:text verified:text";

static const char github_user_others[] =
	"avatar_url:link bio:text blog:text company:text follower:github-username "
	"following:github-username link:link location:text node_id:text "
	"organisation:github-organisation profile-image:attachment public_gists:text "
	"public_repos:text repository:github-repository ssh-public-key:text "
	"twitter_username:text verified:text";

static const char gitlab_user_others[] =
	"avatar_url:link state:text web_url:link";

static const char asn_others[] =
	"country:text export:text first-seen:datetime import:text last-seen:datetime "
	"mp-export:text mp-import:text organization:text subnet-announced:ip-src";

static const char mutex_others[] =
	"description:text operating-system:text";

static const char cpe_asset_others[] =
	"description:text edition:text other:text part:text sw_edition:text target_hw:text "
	"target_sw:text update:text";

static const char android_app_others[] =
	"appid:text certificate:sha1 certificate-sha256:sha256 domain:domain sha256:sha256";

static const char artifact_others[] =
	"payload_bin:attachment";

static const char hashlookup_others[] =
	"KnownMalicious:text PackageArch:text PackageDescription:text PackageMaintainer:text "
	"PackageName:text PackageRelease:text PackageVersion:text source:text";

/* name, meta-category, uuid, version, observable, SDO, relations, others */
const struct misp_template misp_observable_templates[] = {
	{ "file", "file", "688c46fb-5edb-40a3-8273-1af7923e2215", "25",
	    "file", NULL, file, file_others },
	{ "lnk", "file", "ad13533e-1853-4da0-a111-33a7ce7e6c09", "2",
	    "file", NULL, lnk, lnk_others },
	{ "image", "file", "ca78ec03-3321-4ed3-9840-9bfd52b91d82", "1",
	    "file", NULL, image, image_others },
	{ "domain-ip", "network", "43b3b146-77eb-4931-b4cc-b66c60f28734", "11",
	    "domain-name", NULL, domain_ip, domain_ip_others },
	{ "network-connection", "network", "af16764b-f8e5-4603-9de1-de34d272f80b", "7",
	    "network-traffic", NULL, network_connection, network_connection_others },
	{ "network-socket", "network", "48bbfd72-ef8e-4649-b14d-41b4b5a0eba2", "4",
	    "network-traffic", NULL, network_socket, network_socket_others },
	{ "network-traffic", "network", "16290b18-9af5-4a43-b195-75fe1eef0c35", "1",
	    "network-traffic", NULL, network_traffic, NULL },
	{ "ip-port", "network", "9f8cea74-16fe-4968-a2b4-026676949ac6", "10",
	    "network-traffic", NULL, ip_port, ip_port_others },
	{ "netflow", "network", "bf148c58-3e7e-414e-8de8-5d96379ca77e", "2",
	    "network-traffic", NULL, netflow, netflow_others },
	{ "http-request", "network", "b4a8d163-8110-4239-bfcf-e08f3a9fdf7b", "4",
	    "network-traffic", NULL, http_request, http_request_others },
	{ "email", "network", "a0c666e0-fc65-4be8-b48f-3423d788b552", "19",
	    "email-message", NULL, email, email_others },
	{ "registry-key", "file", "8b3228ad-6d82-4fe6-b2ae-05426308f1d5", "5",
	    "windows-registry-key", NULL, registry_key, registry_key_others },
	{ "process", "misc", "02aeef94-ac23-455c-addb-731757ceafb5", "10",
	    "process", NULL, process, process_others },
	{ "x509", "network", "d1ab756a-26b5-4349-9f43-765630f0911c", "14",
	    "x509-certificate", NULL, x509, x509_others },
	{ "url", "network", "60efb77b-40b5-4c46-871b-ed1ed999fce5", "10",
	    "url", NULL, url, url_others },
	{ "user-account", "misc", "49606b06-22f0-4ac8-8eee-2f12ad46f3d3", "6",
	    "user-account", NULL, user_account, user_account_others },
	{ "credential", "misc", "a27e98c9-9b0e-414c-8076-d201e039ca09", "5",
	    "user-account", NULL, credential, credential_others },
	{ "facebook-account", "misc", "b9862b95-7d78-4938-a2b5-13e45c60f25a", "1",
	    "user-account", NULL, named_account, facebook_account_others },
	{ "parler-account", "misc", "8d5ba58e-cac3-46a6-9d1f-cf236f7e95c9", "2",
	    "user-account", NULL, named_account, parler_account_others },
	{ "reddit-account", "misc", "6802f885-2003-494a-b234-61aadce62731", "2",
	    "user-account", NULL, named_account, reddit_account_others },
	{ "twitter-account", "misc", "8066563f-881e-4f6a-9d6c-a9d15b8658bb", "7",
	    "user-account", NULL, twitter_account, twitter_account_others },
	{ "telegram-account", "misc", "06f02ecf-5afb-42c5-9cb0-b362e222f52c", "2",
	    "user-account", NULL, telegram_account, telegram_account_others },
	{ "github-user", "misc", "4329b5e6-8e6a-4b55-8fd1-9033782017d4", "3",
	    "user-account", NULL, github_user, github_user_others },
	{ "gitlab-user", "misc", "39ef3197-08f5-445f-b3b6-9d4d8604071c", "1",
	    "user-account", NULL, gitlab_user, gitlab_user_others },
	{ "asn", "network", "4ec55cc6-9e49-4c64-b794-03c25c1a6587", "6",
	    "autonomous-system", NULL, asn, asn_others },
	{ "mutex", "misc", "9f5c1a68-2021-4faa-b409-61c899c86466", "1",
	    "mutex", NULL, mutex, mutex_others },
	{ "directory", "file", "23ac6a02-1017-4ea6-a4df-148ed563988d", "1",
	    "directory", NULL, directory, NULL },
	{ "software", "misc", "b1b5dc0e-73fe-443c-8d9d-0e208de3951e", "1",
	    "software", NULL, software, NULL },
	{ "cpe-asset", "misc", "8ea002c4-172d-45ae-8d91-1cdea825e6a9", "1",
	    "software", NULL, cpe_asset, cpe_asset_others },
	{ "android-app", "file", "92836f23-4730-4eae-82ac-9f00d5299735", "2",
	    "software", NULL, android_app, android_app_others },
	{ "artifact", "file", "0a46df3a-bd9b-472c-a1e7-6aede7094483", "3",
	    "artifact", NULL, artifact, artifact_others },
	{ "hashlookup", "file", "18671816-2524-452e-b031-5fc0fe2ab774", "3",
	    "file", NULL, hashlookup, hashlookup_others },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }
};
