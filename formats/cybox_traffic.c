/* cybox_traffic.c -- connections, sockets, packets and web requests (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/value.h"

#define HTTP		"extensions.http-request-ext."
#define SOCKET		"extensions.socket-ext."

/* Protocols, from the outside in. */
static const struct {
	const char	*stix, *cybox;
	int		 layer;
} protocols[] = {
	{ "ipv4", "IPv4", 3 }, { "ipv6", "IPv6", 3 }, { "icmp", "ICMP", 3 }, { "igmp", "IGMP", 3 },
	{ "igrp", "IGRP", 3 }, { "clnp", "CLNP", 3 }, { "egp", "EGP", 3 }, { "eigrp", "EIGRP", 3 },
	{ "ipsec", "IPSec", 3 }, { "ipx", "IPX", 3 },
	{ "tcp", "TCP", 4 }, { "udp", "UDP", 4 }, { "ah", "AH", 4 }, { "esp", "ESP", 4 },
	{ "gre", "GRE", 4 }, { "il", "IL", 4 }, { "sctp", "SCTP", 4 }, { "spx", "SPX", 4 },
	{ "dccp", "DCCP", 4 },
};

static int
layer_of(struct slice protocol, struct slice *word)
{
	for (size_t i = 0; i < COUNTOF(protocols); i++) {
		if (slice_is_nocase(protocol, protocols[i].stix)) {
			*word = slice_of(protocols[i].cybox);
			return protocols[i].layer;
		}
	}
	return 7;
}

/* A protocol in the list, once. */
static void
take_protocol(struct cx_reader *rd, struct xml_node *el, struct cx *into)
{
	struct cx *list = cx_find(into, "protocols"), *leaf;

	if (el == NULL || (leaf = cx_value(rd, CXC_LOWER, el)) == NULL)
		return;
	for (struct cx *k = list == NULL ? NULL : list->first; k != NULL; k = k->next) {
		if (cx_plain(k) != NULL && cx_plain(leaf) != NULL &&
		    slice_eq(*cx_plain(k), *cx_plain(leaf)))
			return;
	}
	cx_place(rd, into, "protocols*", leaf);
}

static void
read_layer(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	bool transport = strcmp(row->xml, "Layer4_Protocol") == 0;

	(void)into;
	if (!transport)
		take_protocol(rd, at, into);
}

/* The transport stands at the connection, and at each of its ports. */
static void
read_transport(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	(void)row;
	take_protocol(rd, cx_child(at, "Layer4_Protocol"), into);
	take_protocol(rd, cx_walk(rd, at, "Source_Socket_Address/Port/Layer4_Protocol"), into);
	take_protocol(rd, cx_walk(rd, at, "Destination_Socket_Address/Port/Layer4_Protocol"), into);
}

/* The first protocol of a layer that is not said yet. */
static void
write_protocol(struct cx_writer *w, struct cx *from, struct xml_node *props, const char *path,
    int layer)
{
	struct cx *list = cx_find(from, "protocols");

	for (struct cx *k = list == NULL ? NULL : list->first; k != NULL; k = k->next) {
		const struct slice *v = k->done ? NULL : cx_plain(k);
		struct slice was, word;

		if (v == NULL)
			continue;
		was = *v;
		if (layer_of(was, &word) != layer)
			continue;
		if (layer == 7) {
			char *upper = arena_str(w->mem, was);

			for (char *p = upper; *p != '\0'; p++)
				*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
			word = slice_of(upper);
		}
		/* a protocol is the same word to everyone, and is read in lower case */
		w->respelled |= w->pattern && !slice_eq(was, value_lower(was, w->mem));
		k->tests[0].v[0] = word;
		cx_put(w, props, path, CXC_TEXT, k);
		k->tests[0].v[0] = was;
		return;
	}
}

static void
write_layer3(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	write_protocol(w, from, props, row->xml, 3);
}

static void
write_layer4(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	(void)row;
	write_protocol(w, from, props, "Layer4_Protocol", 4);
}

static void
write_layer7(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	write_protocol(w, from, props, row->xml, 7);
}

static const struct cx_hook layer3 = { read_layer, write_layer3 };
static const struct cx_hook layer4 = { read_transport, write_layer4 };
static const struct cx_hook layer7 = { read_layer, write_layer7 };

/* HTTPSessionObj: the headers in the order of the schema; "_" is "-". */
static const struct {
	const char	*element;
	const char	*value;		/* where it lies below; NULL: the element's own text */
} headers[] = {
	{ "Accept", NULL }, { "Accept_Charset", NULL }, { "Accept_Language", NULL },
	{ "Accept_Datetime", NULL }, { "Accept_Encoding", NULL }, { "Authorization", NULL },
	{ "Cache_Control", NULL }, { "Connection", NULL }, { "Cookie", NULL },
	{ "Content_Length", NULL }, { "Content_MD5", NULL }, { "Content_Type", NULL },
	{ "Date", NULL }, { "Expect", NULL }, { "From", "AddressObj:Address_Value" },
	{ "Host", NULL }, { "If_Match", NULL }, { "If_Modified_Since", NULL },
	{ "If_None_Match", NULL }, { "If_Range", NULL }, { "If_Unmodified_Since", NULL },
	{ "Max_Forwards", NULL }, { "Pragma", NULL }, { "Proxy_Authorization", NULL },
	{ "Range", NULL }, { "Referer", "URIObj:Value" }, { "TE", NULL }, { "User_Agent", NULL },
	{ "Via", NULL }, { "Warning", NULL }, { "DNT", NULL }, { "X_Requested_With", NULL },
	{ "X_Forwarded_For", NULL }, { "X_Forwarded_Proto", NULL }, { "X_ATT_DeviceId", NULL },
	{ "X_Wap_Profile", "URIObj:Value" },
};

static char *
header_name(struct arena *mem, const char *element)
{
	char *name = arena_str(mem, slice_of(element));

	for (char *p = name; *p != '\0'; p++) {
		if (*p == '_')
			*p = '-';
	}
	return name;
}

/* Host: a name, and perhaps a port. */
static void
read_host(struct cx_reader *rd, struct xml_node *el, struct cx *into)
{
	struct xml_node *name = cx_walk(rd, el, "Domain_Name/Value");
	struct xml_node *number = cx_walk(rd, el, "Port/Port_Value");
	struct cx *leaf = name == NULL ? NULL : cx_take(rd, into, HTTP "request_header.Host", CXC_TEXT,
	    name), *port;

	if (leaf == NULL || number == NULL || cx_plain(leaf) == NULL ||
	    (port = cx_value(rd, CXC_INT, number)) == NULL)
		return;
	if (cx_plain(port) == NULL) {
		cx_unmark(port);
		cx_tell(rd, CYBOX_PROPERTY, number, "no property of STIX 2.1");
		return;
	}
	leaf->from[1] = number;
	leaf->tests[0].v[0] = slice_of(arena_fmt(rd->mem, "%.*s:%.*s", SLICE_ARG(*cx_plain(leaf)),
	    SLICE_ARG(*cx_plain(port))));
}

static void
read_headers(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	(void)row;
	for (size_t i = 0; i < COUNTOF(headers); i++) {
		struct xml_node *el = cx_child(at, headers[i].element);

		if (el != NULL && headers[i].value != NULL)
			el = cx_walk(rd, el, headers[i].value);
		if (el == NULL)
			continue;
		if (strcmp(headers[i].element, "Host") == 0 && xml_child(el) != NULL)
			read_host(rd, el, into);
		else
			cx_take(rd, into, arena_fmt(rd->mem, HTTP "request_header.%s",
			    header_name(rd->mem, headers[i].element)), CXC_TEXT, el);
	}
}

/* "example.com:8080" in two elements; a condition goes to the name. */
static void
write_host(struct cx_writer *w, const char *path, struct cx *leaf, struct xml_node *props)
{
	const struct slice *v = cx_plain(leaf);
	struct slice was = v == NULL ? SLICE_EMPTY : *v, port = was, name = slice_cut(&port, ':');
	unsigned long long n;
	bool split = v != NULL && port.n > 0 && slice_u64(port, &n);

	if (split)
		leaf->tests[0].v[0] = name;
	if (cx_put(w, props, arena_fmt(w->mem, "%s/Domain_Name/URIObj:Value", path), CXC_TEXT, leaf) &&
	    split)
		cx_put_text(w, props, arena_fmt(w->mem, "%s/Port/PortObj:Port_Value", path), port);
	if (split)
		leaf->tests[0].v[0] = was;
}

static void
write_headers(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	struct cx *all = cx_find(from, HTTP "request_header");

	if (all == NULL || all->kind != CX_OBJECT)
		return;
	for (size_t i = 0; i < COUNTOF(headers); i++) {
		const char *element = headers[i].element;
		char *path = arena_fmt(w->mem, "%s/%s", row->xml, element);

		for (struct cx *named = all->first; named != NULL; named = named->next) {
			/* STIX has a list of values for each, CybOX one */
			struct cx *k = named->kind == CX_LIST && named->first == named->last ?
			    named->first : named;

			if (k == NULL || k->kind != CX_LEAF || k->done ||
			    !slice_is_nocase(named->name, header_name(w->mem, element)))
				continue;
			if (strcmp(element, "Host") == 0)
				write_host(w, path, k, props);
			else if (headers[i].value != NULL)
				cx_put(w, props, arena_fmt(w->mem, "%s/%s", path,
				    headers[i].value), CXC_TEXT, k);
			else
				cx_put(w, props, path, CXC_TEXT, k);
			break;
		}
	}
}

static const struct cx_hook http_headers = { read_headers, write_headers };

#define REQUEST	"HTTP_Request_Response/HTTP_Client_Request/"
static const struct cx_row http_rows[] = {
	ROW(REQUEST "HTTP_Request_Line/HTTP_Method", HTTP "request_method", CXC_HTTP),
	ROW(REQUEST "HTTP_Request_Line/Value", HTTP "request_value", CXC_TEXT),
	ROW(REQUEST "HTTP_Request_Line/Version", HTTP "request_version", CXC_HTTP),
	HOOK(REQUEST "HTTP_Request_Header/Parsed_Header", HTTP "request_header", http_headers),
	ROW(REQUEST "HTTP_Message_Body/Length", HTTP "message_body_length", CXC_INT),
	ROW_END
};
/* As a part of a connection: no object of its own. */
static const struct cx_type http_part = {
	NULL, "HTTPSessionObj", NULL, NULL, http_rows, NULL, false
};
static const struct cx_type http_session = {
	"HTTPSessionObjectType", "HTTPSessionObj", "network-traffic", NULL, http_rows, NULL, true
};

/* NetworkConnectionObj. */
#define END_POINT(x, side)									\
	SUB(x "/SocketAddressObj:IP_Address", side "_ref", cx_address),				\
	SUB(x "/SocketAddressObj:Hostname", side "_ref", cx_hostname),				\
	ROW(x "/SocketAddressObj:Port/PortObj:Port_Value", side "_port", CXC_INT)
static const struct cx_row connection_rows[] = {
	ROW("Creation_Time", "start", CXC_TIME),
	HOOK("Layer3_Protocol", "protocols", layer3),
	HOOK("", "protocols", layer4),
	HOOK("Layer7_Protocol", "protocols", layer7),
	END_POINT("Source_Socket_Address", "src"),
	END_POINT("Destination_Socket_Address", "dst"),
	SUB("Layer7_Connections/HTTP_Session", "", http_part),
	ROW_END
};
const struct cx_type cx_connection = {
	"NetworkConnectionObjectType", "NetworkConnectionObj", "network-traffic", NULL,
	connection_rows, NULL, false
};

/* SocketAddressObj and PortObj on their own: what is connected to, unless the address says that it is
 * where things come from. */
static void
read_socket(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	static const struct cx_row from[] = {
		SUB("IP_Address", "src_ref", cx_address), SUB("Hostname", "src_ref", cx_hostname),
		ROW("Port/Port_Value", "src_port", CXC_INT), ROW_END
	};
	static const struct cx_row to[] = {
		SUB("IP_Address", "dst_ref", cx_address), SUB("Hostname", "dst_ref", cx_hostname),
		ROW("Port/Port_Value", "dst_port", CXC_INT), ROW_END
	};
	static const struct cx_type source = { NULL, "SocketAddressObj", NULL, NULL, from, NULL, true };
	static const struct cx_type target = { NULL, "SocketAddressObj", NULL, NULL, to, NULL, true };
	struct xml_node *ip = cx_child(at, "IP_Address");
	struct xml_attr *is_source = ip == NULL ? NULL : xml_attr(ip, "is_source");
	bool source_side = is_source != NULL && slice_is(is_source->value, "true");

	(void)row;
	cx_read_type(rd, source_side ? &source : &target, at, into);
	if (source_side && into->first != NULL)
		is_source->mark = XML_KEPT;
	take_protocol(rd, cx_walk(rd, at, "Port/Layer4_Protocol"), into);
}

static const struct cx_hook socket_sides = { read_socket, NULL };
static const struct cx_row socket_rows[] = { HOOK("", "", socket_sides), ROW_END };
static const struct cx_type socket_address = {
	"SocketAddressObjectType", "SocketAddressObj", "network-traffic", NULL, socket_rows, NULL, true
};

static const struct cx_row port_rows[] = {
	ROW("Port_Value", "dst_port", CXC_INT),
	ROW("Layer4_Protocol", "protocols*", CXC_LOWER),
	ROW_END
};
static const struct cx_type port = {
	"PortObjectType", "PortObj", "network-traffic", NULL, port_rows, NULL, true
};

/* NetworkSocketObj. */
static void
read_socket_protocol(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at,
    struct cx *into)
{
	struct cx *leaf = cx_value(rd, CXC_LOWER, at);
	const struct slice *v = leaf == NULL ? NULL : cx_plain(leaf);

	(void)row;
	if (v != NULL && slice_starts(*v, "ipproto_"))
		leaf->tests[0].v[0] = slice_from(v->p + 8, v->n - 8);
	if (leaf != NULL)
		cx_place(rd, into, "protocols*", leaf);
}

static void
write_socket_protocol(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	static const struct { const char *stix, *cybox; } words[] = {
		{ "icmp", "IPPROTO_ICMP" }, { "igmp", "IPPROTO_IGMP" }, { "tcp", "IPPROTO_TCP" },
		{ "udp", "IPPROTO_UDP" }, { "icmpv6", "IPPROTO_ICMPV6" }, { "rm", "IPPROTO_RM" },
	};
	struct cx *list = cx_find(from, "protocols");
	struct cx *k = list == NULL ? NULL : list->first;
	const struct slice *v = k == NULL || k->next != NULL ? NULL : cx_plain(k);

	for (size_t i = 0; v != NULL && i < COUNTOF(words); i++) {
		struct slice was = *v;

		if (!slice_is(was, words[i].stix))
			continue;
		k->tests[0].v[0] = slice_of(words[i].cybox);
		cx_put(w, props, row->xml, CXC_TEXT, k);
		k->tests[0].v[0] = was;
		return;
	}
}

static const struct cx_hook socket_protocol = { read_socket_protocol, write_socket_protocol };

#define OPTION(name, codec) ROW("Options/" name, SOCKET "options." name, codec)
static const struct cx_row net_socket_rows[] = {
	ROW("@is_blocking", SOCKET "is_blocking", CXC_BOOL),
	ROW("@is_listening", SOCKET "is_listening", CXC_BOOL),
	ROW("Address_Family", SOCKET "address_family", CXC_TEXT),
	END_POINT("Local_Address", "src"),
	OPTION("IP_MULTICAST_LOOP", CXC_FLAG), OPTION("SO_BROADCAST", CXC_FLAG),
	OPTION("SO_CONDITIONAL_ACCEPT", CXC_FLAG), OPTION("SO_KEEPALIVE", CXC_FLAG),
	OPTION("SO_DONTROUTE", CXC_FLAG), OPTION("SO_LINGER", CXC_INT),
	OPTION("SO_DONTLINGER", CXC_FLAG), OPTION("SO_OOBINLINE", CXC_FLAG),
	OPTION("SO_RCVBUF", CXC_INT), OPTION("SO_GROUP_PRIORITY", CXC_INT),
	OPTION("SO_REUSEADDR", CXC_FLAG), OPTION("SO_DEBUG", CXC_FLAG),
	OPTION("SO_RCVTIMEO", CXC_INT), OPTION("SO_SNDBUF", CXC_INT), OPTION("SO_SNDTIMEO", CXC_INT),
	OPTION("SO_UPDATE_ACCEPT_CONTEXT", CXC_INT), OPTION("SO_TIMEOUT", CXC_INT),
	OPTION("TCP_NODELAY", CXC_FLAG),
	HOOK("Protocol", "protocols", socket_protocol),
	END_POINT("Remote_Address", "dst"),
	ROW("Type", SOCKET "socket_type", CXC_TEXT),
	ROW("Socket_Descriptor", SOCKET "socket_descriptor", CXC_INT),
	ROW_END
};
static const struct cx_type net_socket = {
	"NetworkSocketObjectType", "NetworkSocketObj", "network-traffic", NULL, net_socket_rows, NULL,
	false
};

/* PacketObj: what ICMP says, and who speaks to whom. */
#define ICMP4	"Internet_Layer/ICMPv4/ICMPv4_Header/"
#define ICMP6	"Internet_Layer/ICMPv6/ICMPv6_Header/"
static const struct cx_row packet_rows[] = {
	READ_SUB("Internet_Layer/IPv4/IPv4_Header/Src_IPv4_Addr", "src_ref", cx_address),
	READ_SUB("Internet_Layer/IPv4/IPv4_Header/Dest_IPv4_Addr", "dst_ref", cx_address),
	READ_SUB("Internet_Layer/IPv6/IPv6_Header/Src_IPv6_Addr", "src_ref", cx_address),
	READ_SUB("Internet_Layer/IPv6/IPv6_Header/Dest_IPv6_Addr", "dst_ref", cx_address),
	READ_ROW("Transport_Layer/TCP/TCP_Header/Src_Port/Port_Value", "src_port", CXC_INT),
	READ_ROW("Transport_Layer/TCP/TCP_Header/Dest_Port/Port_Value", "dst_port", CXC_INT),
	READ_ROW("Transport_Layer/UDP/UDP_Header/SrcPort/Port_Value", "src_port", CXC_INT),
	READ_ROW("Transport_Layer/UDP/UDP_Header/DestPort/Port_Value", "dst_port", CXC_INT),
	ROW(ICMP4 "Type", "extensions.icmp-ext.icmp_type_hex", CXC_HEX),
	ROW(ICMP4 "Code", "extensions.icmp-ext.icmp_code_hex", CXC_HEX),
	READ_ROW(ICMP6 "Type", "extensions.icmp-ext.icmp_type_hex", CXC_HEX),
	READ_ROW(ICMP6 "Code", "extensions.icmp-ext.icmp_code_hex", CXC_HEX),
	ROW_END
};
static const struct cx_type packet = {
	"NetworkPacketObjectType", "PacketObj", "network-traffic", NULL, packet_rows, NULL, false
};

const struct cx_type *const cx_traffic_types[] = {
	&cx_connection, &net_socket, &packet, &http_session, &socket_address, &port, NULL
};
