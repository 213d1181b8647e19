/* cybox_table.c -- finding a type and a namespace (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"

static const struct cx_type *const *const families[] = {
	cx_file_types, cx_net_types, cx_traffic_types, cx_mail_types, cx_host_types
};

const struct cx_type *
cx_type_named(struct slice xsi)
{
	struct slice name = xsi, prefix = slice_cut(&name, ':');

	if (name.n == 0)
		name = prefix;
	for (size_t f = 0; f < COUNTOF(families); f++) {
		for (size_t i = 0; families[f][i] != NULL; i++) {
			if (slice_is(name, families[f][i]->xsi))
				return families[f][i];
		}
	}
	return NULL;
}

/* May a type of CybOX stand for that type of STIX? */
static bool
serves(const struct cx_type *type, struct slice stix)
{
	static const char *const addresses[] = { "ipv4-addr", "ipv6-addr", "email-addr", "mac-addr" };

	if (type->read_only)
		return false;
	if (type == &cx_uri)
		return slice_is(stix, "url");
	for (size_t i = 0; type == &cx_address && i < COUNTOF(addresses); i++) {
		if (slice_is(stix, addresses[i]))
			return true;
	}
	return type->stix[0] != '\0' && slice_is(stix, type->stix);
}

const struct cx_type *
cx_type_for(struct slice stix, size_t n)
{
	for (size_t f = 0; f < COUNTOF(families); f++) {
		for (size_t i = 0; families[f][i] != NULL; i++) {
			if (serves(families[f][i], stix) && n-- == 0)
				return families[f][i];
		}
	}
	return NULL;
}

const char *
cx_namespace(struct slice prefix)
{
#define OBJECT(name, n)	"http://cybox.mitre.org/objects#" name "Object-" n
	static const struct { const char *prefix, *uri; } uris[] = {
		{ "cybox", "http://cybox.mitre.org/cybox-2" },
		{ "cyboxCommon", "http://cybox.mitre.org/common-2" },
		{ "cyboxVocabs", "http://cybox.mitre.org/default_vocabularies-2" },
		{ "ASObj", OBJECT("AS", "1") },
		{ "AccountObj", OBJECT("Account", "2") },
		{ "AddressObj", OBJECT("Address", "2") },
		{ "ArchiveFileObj", OBJECT("ArchiveFile", "1") },
		{ "ArtifactObj", OBJECT("Artifact", "2") },
		{ "DomainNameObj", OBJECT("DomainName", "1") },
		{ "EmailMessageObj", OBJECT("EmailMessage", "2") },
		{ "FileObj", OBJECT("File", "2") },
		{ "HTTPSessionObj", OBJECT("HTTPSession", "2") },
		{ "HostnameObj", OBJECT("Hostname", "1") },
		{ "ImageFileObj", OBJECT("ImageFile", "1") },
		{ "MutexObj", OBJECT("Mutex", "2") },
		{ "NetworkConnectionObj", OBJECT("NetworkConnection", "2") },
		{ "NetworkSocketObj", OBJECT("NetworkSocket", "2") },
		{ "PDFFileObj", OBJECT("PDFFile", "1") },
		{ "PacketObj", OBJECT("Packet", "2") },
		{ "PortObj", OBJECT("Port", "2") },
		{ "ProcessObj", OBJECT("Process", "2") },
		{ "ProductObj", OBJECT("Product", "2") },
		{ "SocketAddressObj", OBJECT("SocketAddress", "1") },
		{ "URIObj", OBJECT("URI", "2") },
		{ "UnixUserAccountObj", OBJECT("UnixUserAccount", "2") },
		{ "UserAccountObj", OBJECT("UserAccount", "2") },
		{ "WinExecutableFileObj", OBJECT("WinExecutableFile", "2") },
		{ "WinFileObj", OBJECT("WinFile", "2") },
		{ "WinProcessObj", OBJECT("WinProcess", "2") },
		{ "WinRegistryKeyObj", OBJECT("WinRegistryKey", "2") },
		{ "WinServiceObj", OBJECT("WinService", "2") },
		{ "WinUserAccountObj", OBJECT("WinUserAccount", "2") },
		{ "X509CertificateObj", OBJECT("X509Certificate", "2") },
	};

	for (size_t i = 0; i < COUNTOF(uris); i++) {
		if (slice_is(prefix, uris[i].prefix))
			return uris[i].uri;
	}
	return "";
}
