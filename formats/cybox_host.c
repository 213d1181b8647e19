/* cybox_host.c -- processes, the registry, accounts, software, certificates (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/value.h"

#define WINPROC		"extensions.windows-process-ext."
#define SERVICE		"extensions.windows-service-ext."
#define UNIX		"extensions.unix-account-ext."

/* ProcessObj. What runs is a file; its name stands in two places, of which the image's is the surer. */
static void
read_image(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	struct xml_node *image = cx_child(at, "Image_Info");
	struct xml_node *name = image == NULL ? NULL : cx_child(image, "File_Name");
	struct xml_node *path = image == NULL ? NULL : cx_child(image, "Path");
	struct cx *file;

	(void)row;
	if (name == NULL)
		name = cx_child(at, "Name");
	if (name == NULL && path == NULL)
		return;
	file = cx_make(rd->mem, into, "image_ref", CX_OBJECT);
	cx_read_file_names(rd, name, path, NULL, NULL, file);
	if (file->first == NULL)
		cx_remove(file);
}

static void
write_image_name(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	struct cx *name = cx_find(from, "image_ref.name");

	if (name != NULL && name->kind == CX_LEAF)
		cx_put(w, props, row->xml, CXC_TEXT, name);
}

/* The directory; with a separator at its end, so that it is not taken for the file. */
static void
write_image_path(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	struct cx *dir = cx_find(from, "image_ref.parent_directory_ref.path");
	const struct slice *text = dir == NULL || dir->kind != CX_LEAF ? NULL : cx_plain(dir);

	if (text != NULL && text->n > 0 && text->p[text->n - 1] != '/' && text->p[text->n - 1] != '\\')
		dir->tests[0].v[0] = slice_of(arena_fmt(w->mem, "%.*s%c", SLICE_ARG(*text),
		    memchr(text->p, '\\', text->n) != NULL ? '\\' : '/'));
	if (dir != NULL && dir->kind == CX_LEAF)
		cx_put(w, props, row->xml, CXC_TEXT, dir);
}

static const struct cx_hook image = { read_image, NULL };
static const struct cx_hook image_name = { NULL, write_image_name };
static const struct cx_hook image_path = { NULL, write_image_path };

/* A dictionary of names that STIX can have as keys. */
static bool
is_key(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '_' || c == '-'))
			return false;
	}
	return s.n > 0 && s.n <= 250;
}

static void
read_environment(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at,
    struct cx *into)
{
	struct xml_node *el = cx_child(at, "Environment_Variable");
	struct cx *all = el == NULL ? NULL : cx_make(rd->mem, into, row->stix, CX_OBJECT);
	size_t n = 0;

	for (; el != NULL && n < CX_VALUES; el = cx_again(el), n++) {
		struct xml_node *name = cx_child(el, "Name"), *value = cx_child(el, "Value");
		struct cx *key, *leaf, *at_key;

		if (name == NULL || value == NULL || (key = cx_value(rd, CXC_TEXT, name)) == NULL)
			continue;
		leaf = cx_value(rd, CXC_TEXT, value);
		if (leaf == NULL || cx_plain(key) == NULL || !is_key(*cx_plain(key)) ||
		    cx_member(all, *cx_plain(key)) != NULL) {
			cx_unmark(key);
			if (leaf != NULL)
				cx_unmark(leaf);
			cx_tell(rd, CYBOX_VALUE, name, "no name of a variable");
			continue;
		}
		at_key = cx_add(rd->mem, all, CX_LEAF, *cx_plain(key));
		at_key->value = PAT_STRING;
		at_key->tests = leaf->tests;
		at_key->ntests = leaf->ntests;
		at_key->either = leaf->either;
		at_key->from[0] = value;
		at_key->again = leaf->again;
		at_key->from[1] = name;
	}
	if (all != NULL && all->first == NULL)
		cx_remove(all);
}

static void
write_environment(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	struct cx *all = cx_find(from, row->stix);

	if (all == NULL || all->kind != CX_OBJECT)
		return;
	for (struct cx *k = all->first; k != NULL; k = k->next) {
		struct xml_node *el;

		if (k->kind != CX_LEAF || k->done)
			continue;
		el = cx_element(w, props, arena_fmt(w->mem, "%s/cyboxCommon:Environment_Variable*",
		    row->xml));
		cx_put_text(w, el, "cyboxCommon:Name", k->name);
		if (!cx_put(w, el, "cyboxCommon:Value", CXC_TEXT, k))
			xml_detach(el);
	}
}

static const struct cx_hook environment = { read_environment, write_environment };

static const struct cx_row process_rows[] = {
	ROW("@is_hidden", "is_hidden", CXC_BOOL),
	HOOK("", "image_ref", image),
	ROW("PID", "pid", CXC_INT),
	ROW("Creation_Time", "created_time", CXC_TIME),
	ROW("Parent_PID", "parent_ref.pid", CXC_INT),
	ROW("Child_PID_List/Child_PID*", "child_refs*.pid", CXC_INT),
	HOOK("Image_Info/File_Name", "image_ref.name", image_name),
	ROW("Image_Info/Command_Line", "command_line", CXC_TEXT),
	ROW("Image_Info/Current_Directory", "cwd", CXC_TEXT),
	HOOK("Image_Info/Path", "image_ref.parent_directory_ref.path", image_path),
	HOOK("Environment_Variable_List", "environment_variables", environment),
	SUB("Network_Connection_List/Network_Connection*", "opened_connection_refs*", cx_connection),
	ROW("Username", "creator_user_ref.user_id", CXC_TEXT),
	ROW_END
};
static const struct cx_type process = {
	"ProcessObjectType", "ProcessObj", "process", NULL, process_rows, NULL, false
};
static const struct cx_row no_rows[] = { ROW_END };
static const struct cx_type unix_process = {
	"UnixProcessObjectType", "UnixProcessObj", "process", &process, no_rows, NULL, true
};

#define STARTUP(name, codec) ROW("Startup_Info/" name, WINPROC "startup_info." name, codec)
static const struct cx_row win_process_rows[] = {
	ROW("@aslr_enabled", WINPROC "aslr_enabled", CXC_BOOL),
	ROW("@dep_enabled", WINPROC "dep_enabled", CXC_BOOL),
	ROW("Priority", WINPROC "priority", CXC_TEXT),
	ROW("Security_ID", WINPROC "owner_sid", CXC_TEXT),
	STARTUP("lpDesktop", CXC_TEXT), STARTUP("lpTitle", CXC_TEXT), STARTUP("dwX", CXC_INT),
	STARTUP("dwY", CXC_INT), STARTUP("dwXSize", CXC_INT), STARTUP("dwYSize", CXC_INT),
	STARTUP("dwXCountChars", CXC_INT), STARTUP("dwYCountChars", CXC_INT),
	STARTUP("dwFillAttribute", CXC_INT), STARTUP("dwFlags", CXC_INT),
	STARTUP("wShowWindow", CXC_INT),
	ROW("Window_Title", WINPROC "window_title", CXC_TEXT),
	ROW_END
};
static const struct cx_type win_process = {
	"WindowsProcessObjectType", "WinProcessObj", "process", &process, win_process_rows, NULL, false
};

/* WinServiceObj. */
static const struct cx_row service_rows[] = {
	ROW("Description_List/Description*", SERVICE "descriptions*", CXC_TEXT),
	ROW("Display_Name", SERVICE "display_name", CXC_TEXT),
	ROW("Group_Name", SERVICE "group_name", CXC_TEXT),
	ROW("Service_Name", SERVICE "service_name", CXC_TEXT),
	ROW("Service_DLL", SERVICE "service_dll_refs*.name", CXC_TEXT),
	ROW("Startup_Type", SERVICE "start_type", CXC_TEXT),
	ROW("Service_Status", SERVICE "service_status", CXC_TEXT),
	ROW("Service_Type", SERVICE "service_type", CXC_TEXT),
	ROW_END
};
static const struct cx_type win_service = {
	"WindowsServiceObjectType", "WinServiceObj", "process", &win_process, service_rows, NULL, false
};

/* WinRegistryKeyObj: the hive is the first step of the key. */
static const struct { const char *shorthand, *hive; } hives[] = {
	{ "HKCR", "HKEY_CLASSES_ROOT" }, { "HKCC", "HKEY_CURRENT_CONFIG" },
	{ "HKCU", "HKEY_CURRENT_USER" }, { "HKLM", "HKEY_LOCAL_MACHINE" }, { "HKU", "HKEY_USERS" },
	{ "HKEY_CURRENT_USER_LOCAL_SETTINGS", "HKEY_CURRENT_USER_LOCAL_SETTINGS" },
	{ "HKEY_PERFORMANCE_DATA", "HKEY_PERFORMANCE_DATA" },
	{ "HKEY_PERFORMANCE_NLSTEXT", "HKEY_PERFORMANCE_NLSTEXT" },
	{ "HKEY_PERFORMANCE_TEXT", "HKEY_PERFORMANCE_TEXT" },
};

static const char *
hive_name(struct slice s)
{
	for (size_t i = 0; i < COUNTOF(hives); i++) {
		if (slice_is_nocase(s, hives[i].shorthand) || slice_is_nocase(s, hives[i].hive))
			return hives[i].hive;
	}
	return NULL;
}

/* Does the key itself begin with a hive? */
static bool
begins_with_hive(struct slice key)
{
	return hive_name(slice_cut(&key, '\\')) != NULL;
}

/* Put the hive in front of one comparison; false where it has to be one of its own. */
static bool
prefix_hive(struct arena *mem, struct cx_test *t, const char *hive)
{
	bool starts = t->op == PAT_LIKE && t->n == 1 && t->v[0].n > 0 && t->v[0].p[0] != '%';

	if (t->op != PAT_EQ && t->op != PAT_NE && t->op != PAT_IN && !starts)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (!begins_with_hive(t->v[i]))
			t->v[i] = slice_of(arena_fmt(mem, "%s%s%.*s", hive,
			    t->v[i].n > 0 && t->v[i].p[0] == '\\' ? "" : "\\", SLICE_ARG(t->v[i])));
	}
	return true;
}

static void
add_hive(struct cx_reader *rd, struct cx *key, struct xml_node *el)
{
	struct cx *hive = cx_value(rd, CXC_TEXT, el);
	const char *name;
	bool prefixed = true;

	if (hive == NULL)
		return;
	if (cx_plain(hive) == NULL) {
		cx_unmark(hive);
		cx_tell(rd, CYBOX_PROPERTY, el, "more than one hive");
		return;
	}
	if ((name = hive_name(*cx_plain(hive))) == NULL)
		name = arena_str(rd->mem, *cx_plain(hive));
	if (!slice_is(*cx_plain(hive), name))
		el->mark = XML_APPROXIMATED;
	for (size_t i = 0; i < key->ntests; i++)
		prefixed = prefix_hive(rd->mem, &key->tests[i], name) && prefixed;
	key->from[1] = el;
	if (prefixed)
		return;
	hive->tests[0].op = PAT_LIKE;
	hive->tests[0].v[0] = slice_of(arena_fmt(rd->mem, "%s\\%%", name));
	if (!cx_add_tests(rd->mem, key, hive)) {
		cx_unmark(hive);
		cx_tell(rd, CYBOX_PROPERTY, el, "no hive for alternatives");
	}
}

static void
read_key(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	struct xml_node *el = cx_child(at, "Key"), *hive = cx_child(at, "Hive");
	struct cx *key = el == NULL ? NULL : cx_take(rd, into, row->stix, CXC_TEXT, el);

	if (key != NULL && hive != NULL)
		add_hive(rd, key, hive);
	else if (hive != NULL && el == NULL)
		cx_take(rd, into, row->stix, CXC_TEXT, hive);
}

static void
write_key(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	struct cx *key = cx_find(from, row->stix);
	const struct slice *text = key == NULL || key->kind != CX_LEAF ? NULL : cx_plain(key);
	struct slice rest = text == NULL ? SLICE_EMPTY : *text, was = rest;
	struct slice hive = slice_cut(&rest, '\\');
	bool split = rest.n > 0 && hive_name(hive) != NULL && slice_is(hive, hive_name(hive)) &&
	    rest.p[0] != '\\' && !begins_with_hive(rest);

	if (key == NULL || key->kind != CX_LEAF)
		return;
	if (split)
		key->tests[0].v[0] = rest;
	if (cx_put(w, props, "Key", CXC_TEXT, key) && split) {
		struct xml_node *el = cx_put_text(w, props, "Hive", hive);

		if (w->pattern)
			xml_set(w->mem, el, "condition", SLICE_LIT("Equals"));
	}
	if (split)
		key->tests[0].v[0] = was;
}

static const struct cx_hook registry_key = { read_key, write_key };
static const struct cx_row value_rows[] = {
	ROW("Name", "name", CXC_TEXT),
	ROW("Data", "data", CXC_EXACT),
	ROW("Datatype", "data_type", CXC_TEXT),
	ROW_END
};
static const struct cx_type registry_value = {
	NULL, "WinRegistryKeyObj", NULL, NULL, value_rows, NULL, false
};
static const struct cx_row registry_rows[] = {
	HOOK("", "key", registry_key),
	SUB("Values/Value*", "values*", registry_value),
	ROW("Modified_Time", "modified_time", CXC_TIME),
	ROW("Creator_Username", "creator_user_ref.user_id", CXC_TEXT),
	ROW("Number_Subkeys", "number_of_subkeys", CXC_INT),
	ROW_END
};
static const struct cx_type registry = {
	"WindowsRegistryKeyObjectType", "WinRegistryKeyObj", "windows-registry-key", NULL, registry_rows,
	NULL, false
};

static const struct cx_row mutex_rows[] = { ROW("Name", "name", CXC_TEXT), ROW_END };
static const struct cx_type mutex = {
	"MutexObjectType", "MutexObj", "mutex", NULL, mutex_rows, NULL, false
};
static const struct cx_type win_mutex = {
	"WindowsMutexObjectType", "WinMutexObj", "mutex", &mutex, no_rows, NULL, true
};

/* Accounts. */
static const struct cx_row account_rows[] = {
	ROW("@disabled", "is_disabled", CXC_BOOL),
	ROW("AccountObj:Creation_Date", "account_created", CXC_TIME),
	ROW_END
};
static const struct cx_type account = {
	"AccountObjectType", "AccountObj", "user-account", NULL, account_rows, NULL, true
};
static const struct cx_row user_rows[] = {
	ROW("Full_Name", "display_name", CXC_TEXT),
	ROW("Home_Directory", UNIX "home_dir", CXC_TEXT),
	ROW("Last_Login", "account_last_login", CXC_TIME),
	ROW("Username", "account_login", CXC_TEXT),
	ROW_END
};
static const struct cx_type user_account = {
	"UserAccountObjectType", "UserAccountObj", "user-account", &account, user_rows, NULL, false
};
static const struct cx_row unix_user_rows[] = {
	ROW("Group_ID", UNIX "gid", CXC_INT),
	ROW("User_ID", "user_id", CXC_TEXT),
	ROW("Login_Shell", UNIX "shell", CXC_TEXT),
	ROW_END
};
static const struct cx_type unix_user = {
	"UnixUserAccountObjectType", "UnixUserAccountObj", "user-account", &user_account, unix_user_rows,
	"account_type=unix", false
};
static const struct cx_row win_user_rows[] = { ROW("Security_ID", "user_id", CXC_TEXT), ROW_END };
static const struct cx_type win_user = {
	"WindowsUserAccountObjectType", "WinUserAccountObj", "user-account", &user_account, win_user_rows,
	"account_type=windows-local", false
};

/* ProductObj; its elements stand in no order that is ours. */
static const struct cx_row product_rows[] = {
	ROW("Language", "languages*", CXC_TEXT),
	ROW("Product", "name", CXC_TEXT),
	ROW("Vendor", "vendor", CXC_TEXT),
	ROW("Version", "version", CXC_TEXT),
	ROW_END
};
static const struct cx_type product = {
	"ProductObjectType", "ProductObj", "software", NULL, product_rows, NULL, false
};

/* X509CertificateObj. */
#define CERT		"Certificate/"
#define V3(x, s)	ROW(CERT "Standard_Extensions/" x, "x509_v3_extensions." s, CXC_TEXT)
static const struct cx_row x509_rows[] = {
	ROW(CERT "Version", "version", CXC_TEXT),
	ROW(CERT "Serial_Number", "serial_number", CXC_TEXT),
	ROW(CERT "Signature_Algorithm", "signature_algorithm", CXC_TEXT),
	ROW(CERT "Issuer", "issuer", CXC_TEXT),
	ROW(CERT "Validity/Not_Before", "validity_not_before", CXC_TIME),
	ROW(CERT "Validity/Not_After", "validity_not_after", CXC_TIME),
	ROW(CERT "Subject", "subject", CXC_TEXT),
	ROW(CERT "Subject_Public_Key/Public_Key_Algorithm", "subject_public_key_algorithm", CXC_TEXT),
	ROW(CERT "Subject_Public_Key/RSA_Public_Key/Modulus", "subject_public_key_modulus", CXC_TEXT),
	ROW(CERT "Subject_Public_Key/RSA_Public_Key/Exponent", "subject_public_key_exponent", CXC_INT),
	V3("Basic_Constraints", "basic_constraints"),
	V3("Name_Constraints", "name_constraints"),
	V3("Policy_Constraints", "policy_constraints"),
	V3("Key_Usage", "key_usage"),
	V3("Extended_Key_Usage", "extended_key_usage"),
	V3("Subject_Key_Identifier", "subject_key_identifier"),
	V3("Authority_Key_Identifier", "authority_key_identifier"),
	V3("Subject_Alternative_Name", "subject_alternative_name"),
	V3("Issuer_Alternative_Name", "issuer_alternative_name"),
	V3("Subject_Directory_Attributes", "subject_directory_attributes"),
	V3("CRL_Distribution_Points", "crl_distribution_points"),
	V3("Inhibit_Any_Policy", "inhibit_any_policy"),
	ROW(CERT "Standard_Extensions/Private_Key_Usage_Period/Not_Before",
	    "x509_v3_extensions.private_key_usage_period_not_before", CXC_TIME),
	ROW(CERT "Standard_Extensions/Private_Key_Usage_Period/Not_After",
	    "x509_v3_extensions.private_key_usage_period_not_after", CXC_TIME),
	V3("Certificate_Policies", "certificate_policies"),
	V3("Policy_Mappings", "policy_mappings"),
	ROW_END
};
static const struct cx_type x509 = {
	"X509CertificateObjectType", "X509CertificateObj", "x509-certificate", NULL, x509_rows, NULL, false
};

const struct cx_type *const cx_host_types[] = {
	&process, &unix_process, &win_process, &win_service, &registry, &mutex, &win_mutex, &account,
	&user_account, &unix_user, &win_user, &product, &x509, NULL
};
