/* cybox_file.c -- files of all kinds, and hashes (see cybox_impl.h). */
#include <string.h>

#include <ctype.h>

#include "formats/cybox_impl.h"
#include "formats/value.h"

#define PE	"extensions.windows-pebinary-ext."

/* Hashes. CybOX's word, STIX's word. */
static const struct { const char *cybox, *stix; } hash_words[] = {
	{ "MD5", "MD5" }, { "MD6", "MD6" }, { "SHA1", "SHA-1" }, { "SHA224", "SHA-224" },
	{ "SHA256", "SHA-256" }, { "SHA384", "SHA-384" }, { "SHA512", "SHA-512" },
	{ "SSDEEP", "SSDEEP" },
};

/* The algorithm that a plain value of that length is of; NULL if none. */
static const char *
hash_by_length(const struct cx *leaf)
{
	static const struct { size_t n; const char *name; } lengths[] = {
		{ 32, "MD5" }, { 40, "SHA-1" }, { 56, "SHA-224" }, { 64, "SHA-256" },
		{ 96, "SHA-384" }, { 128, "SHA-512" },
	};
	size_t n = leaf->tests[0].v[0].n;

	for (size_t i = 0; i < COUNTOF(lengths); i++) {
		if (n == lengths[i].n)
			return lengths[i].name;
	}
	return NULL;
}

/* STIX's name of a hash: by its Type, else by its length. */
static struct slice
hash_name(struct cx_reader *rd, struct xml_node *type, const struct cx *leaf)
{
	struct slice word = type == NULL ? SLICE_EMPTY : xml_text_trim(type, rd->mem);
	const char *known;

	for (size_t i = 0; i < COUNTOF(hash_words); i++) {
		if (slice_is_nocase(word, hash_words[i].cybox))
			return slice_of(hash_words[i].stix);
	}
	if (word.n > 0 && !slice_is_nocase(word, "Other")) {
		known = value_hash_name(word);
		return known != NULL ? slice_of(known) : word.n >= 3 && word.n <= 64 ? word : SLICE_EMPTY;
	}
	return slice_of(hash_by_length(leaf));
}

static bool
is_hex(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

/* Is everything that it equals a hash of that name? In a watch list a mistyped one beside good ones stays:
 * it finds nothing, and the others do. */
static bool
is_hash(struct cx_reader *rd, struct slice name, const struct cx *leaf)
{
	size_t good = 0, odd = 0;
	struct slice out;

	for (size_t t = 0; t < leaf->ntests; t++) {
		const struct cx_test *test = &leaf->tests[t];

		if (test->op != PAT_EQ && test->op != PAT_NE && test->op != PAT_IN)
			continue;
		for (size_t i = 0; i < test->n; i++) {
			if (value_hash(name, test->v[i], rd->mem, &out))
				good++;
			else if (rd->pattern && is_hex(test->v[i]))
				odd++;
			else
				return false;
		}
	}
	return odd == 0 || good > 0;
}

static void
read_hash(struct cx_reader *rd, struct xml_node *el, struct cx *hashes)
{
	struct xml_node *value = cx_child(el, "Simple_Hash_Value"), *type = cx_child(el, "Type");
	struct cx *leaf, *at;
	struct slice name;

	if (value == NULL)
		value = cx_child(el, "Fuzzy_Hash_Value");
	if (value == NULL || (leaf = cx_value(rd, CXC_TEXT, value)) == NULL)
		return;
	name = hash_name(rd, type, leaf);
	if (name.n == 0 || !is_hash(rd, name, leaf) ||
	    (!rd->pattern && (cx_member(hashes, name) != NULL || cx_plain(leaf) == NULL))) {
		cx_unmark(leaf);
		cx_tell(rd, CYBOX_VALUE, value, "no hash of that kind, or a second one");
		return;
	}
	at = cx_add(rd->mem, hashes, CX_LEAF, name);
	at->value = PAT_STRING;
	at->tests = leaf->tests;
	at->ntests = leaf->ntests;
	at->either = leaf->either;
	at->from[0] = value;
	at->from[1] = type;
	at->again = leaf->again;
	if (type != NULL) {
		cx_mark(type, XML_KEPT);
		for (struct xml_attr *a = type->attrs; a != NULL; a = a->next) {
			if (slice_is(a->name, "type") ||
			    (slice_is(a->name, "condition") && slice_is_nocase(a->value, "Equals")))
				a->mark = XML_KEPT;
		}
	}
}

static void
read_hashes(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	struct xml_node *el = cx_child(at, "Hash");
	struct cx *hashes;
	bool all = false;

	if (el == NULL || (hashes = cx_make(rd->mem, into, row->stix, CX_OBJECT)) == NULL)
		return;
	for (; el != NULL; el = cx_again(el)) {
		struct xml_node *value = cx_child(el, "Simple_Hash_Value");

		if (value == NULL)
			value = cx_child(el, "Fuzzy_Hash_Value");
		all = all || (value != NULL && cx_applies_all(value));
		read_hash(rd, el, hashes);
	}
	hashes->any = !all;
	if (hashes->first == NULL)
		cx_remove(hashes);
}

static void
write_hash(struct cx_writer *w, struct xml_node *list, struct cx *leaf)
{
	struct xml_node *el, *type;
	struct slice word = leaf->name;
	bool fuzzy = slice_is_nocase(leaf->name, "SSDEEP") || slice_is_nocase(leaf->name, "TLSH");
	const char *known = value_hash_name(leaf->name);
	bool vocab = false;

	for (size_t i = 0; i < COUNTOF(hash_words); i++) {
		if (slice_is_nocase(leaf->name, hash_words[i].stix) ||
		    (known != NULL && strcmp(known, hash_words[i].stix) == 0)) {
			word = slice_of(hash_words[i].cybox);
			vocab = true;
		}
	}
	el = cx_element(w, list, "cyboxCommon:Hash*");
	type = cx_put_text(w, el, "cyboxCommon:Type", word);
	if (vocab)
		cx_set_vocabulary(w, type, "HashNameVocab-1.0");
	if (w->pattern)
		xml_set(w->mem, type, "condition", SLICE_LIT("Equals"));
	if (!cx_put(w, el, fuzzy ? "cyboxCommon:Fuzzy_Hash_Value" : "cyboxCommon:Simple_Hash_Value",
	    CXC_TEXT, leaf))
		xml_detach(el);
}

static void
write_hashes(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	struct cx *hashes = cx_find(from, row->stix);
	bool all = w->all;
	struct xml_node *list;

	if (hashes == NULL || hashes->kind != CX_OBJECT)
		return;
	list = cx_element(w, props, row->xml);
	w->all = w->pattern && !hashes->any && hashes->first != hashes->last;
	for (struct cx *k = hashes->first; k != NULL; k = k->next) {
		if (k->kind == CX_LEAF && !k->done)
			write_hash(w, list, k);
	}
	w->all = all;
	if (list != props && list->first == NULL)
		xml_detach(list);
}

const struct cx_hook cx_hashes = { read_hashes, write_hashes };

/* Names and paths. */

static bool
is_separator(char c)
{
	return c == '/' || c == '\\';
}

/* "/", "C:\" */
static bool
is_root(struct slice s)
{
	return (s.n == 1 && is_separator(s.p[0])) || (s.n == 3 && s.p[1] == ':' && is_separator(s.p[2]));
}

/* Cut a path at its last separator; *dir is empty if there is none, *name if it ends with one. */
static void
split_path(struct slice path, struct slice *dir, struct slice *name)
{
	size_t i = path.n;

	while (i > 0 && !is_separator(path.p[i - 1]))
		i--;
	*name = slice_from(path.p + i, path.n - i);
	*dir = slice_from(path.p, i);
	if (dir->n > 1 && !is_root(*dir))
		dir->n--;
}

/* A place for what a path says of the directory and the name. */
static void
put_part(struct cx_reader *rd, struct cx *file, const char *path, struct slice text, bool again,
    struct xml_node *el)
{
	struct cx *leaf;

	if (text.n == 0)
		return;
	if ((leaf = cx_make(rd->mem, file, path, CX_LEAF)) == NULL) {
		cx_tell(rd, CYBOX_PROPERTY, el, "said twice");
		return;
	}
	cx_equals(rd->mem, leaf, PAT_STRING, text);
	leaf->from[0] = el;
	leaf->again = again;
}

static void
read_path(struct cx_reader *rd, struct xml_node *el, bool full, struct cx *file)
{
	struct cx *name = cx_find(file, "name");
	struct cx *leaf = cx_value(rd, CXC_TEXT, el);
	const struct slice *text, *known;
	struct slice dir, last;

	if (leaf == NULL)
		return;
	if ((text = cx_plain(leaf)) == NULL) {
		if (rd->pattern) {
			cx_place(rd, file, "parent_directory_ref.path", leaf);
			return;
		}
		cx_unmark(leaf);
		cx_tell(rd, CYBOX_VALUE, el, "more than one path");
		return;
	}
	split_path(*text, &dir, &last);
	known = name == NULL ? NULL : cx_plain(name);
	if (name != NULL && last.n > 0 && !full && (known == NULL || !slice_eq(*known, last))) {
		dir = *text;	/* File_Path is the directory, as it should be */
		last = SLICE_EMPTY;
	}
	if (name != NULL && known != NULL && slice_eq(*known, last))
		last = SLICE_EMPTY;
	put_part(rd, file, "parent_directory_ref.path", dir, leaf->again, el);
	put_part(rd, file, "name", last, leaf->again, el);
}

/* File_Extension, when a name may or may not have it already. */
static void
read_ending(struct cx_reader *rd, struct xml_node *el, struct cx *file)
{
	struct cx *name = cx_find(file, "name");
	struct cx *leaf = cx_value(rd, CXC_TEXT, el);
	const struct slice *end, *known = name == NULL ? NULL : cx_plain(name);
	char *dotted;

	if (leaf == NULL)
		return;
	if ((end = cx_plain(leaf)) == NULL || (name == NULL && !rd->pattern)) {
		cx_unmark(leaf);
		cx_tell(rd, CYBOX_PROPERTY, el, "only a part of a name");
		return;
	}
	dotted = arena_fmt(rd->mem, "%s%.*s", end->n > 0 && end->p[0] == '.' ? "" : ".",
	    SLICE_ARG(*end));
	if (known != NULL) {
		if (!slice_ends(*known, dotted))
			name->tests[0].v[0] = slice_of(arena_fmt(rd->mem, "%.*s%s", SLICE_ARG(*known),
			    dotted));
		return;
	}
	leaf->tests[0].op = PAT_LIKE;
	leaf->tests[0].v[0] = slice_of(arena_fmt(rd->mem, "%%%s", dotted));
	if (strpbrk(dotted, "%_") != NULL) {
		leaf->tests[0].op = PAT_MATCHES;
		leaf->tests[0].v[0] = slice_of(arena_fmt(rd->mem, "%.*s$",
		    SLICE_ARG(cx_quote_regex(rd->mem, slice_of(dotted)))));
	}
	if (name == NULL)
		cx_place(rd, file, "name", leaf);
	else if (!cx_add_tests(rd->mem, name, leaf))
		cx_unmark(leaf);
}

void
cx_read_file_names(struct cx_reader *rd, struct xml_node *name, struct xml_node *path,
    struct xml_node *full, struct xml_node *ending, struct cx *file)
{
	if (name != NULL)
		cx_take(rd, file, "name", CXC_TEXT, name);
	if (ending != NULL && (name != NULL || (path == NULL && full == NULL)))
		read_ending(rd, ending, file);
	if (path != NULL)
		read_path(rd, path, false, file);
	if (full != NULL && path == NULL)
		read_path(rd, full, true, file);
}

static void
read_file_names(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	(void)row;
	cx_read_file_names(rd, cx_child(at, "File_Name"), cx_child(at, "File_Path"),
	    cx_child(at, "Full_Path"), cx_child(at, "File_Extension"), into);
}

/* A directory is written so that it is not taken for the file: with a separator at its end if there is
 * no name, or the same name. */
static struct slice
directory_text(struct arena *mem, struct slice dir, const struct cx *name)
{
	struct slice before, last;
	bool back = memchr(dir.p, '\\', dir.n) != NULL;

	split_path(dir, &before, &last);
	if (last.n == 0 || (name != NULL && (cx_plain(name) == NULL || !slice_eq(*cx_plain(name), last))))
		return dir;
	return slice_of(arena_fmt(mem, "%.*s%c", SLICE_ARG(dir), back ? '\\' : '/'));
}

static void
write_file_names(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	struct cx *name = cx_find(from, "name"), *dir = cx_find(from, "parent_directory_ref.path");
	const struct slice *text;

	(void)row;
	if (name != NULL && name->kind == CX_LEAF)
		cx_put(w, props, "File_Name", CXC_TEXT, name);
	if (dir == NULL || dir->kind != CX_LEAF || dir->done)
		return;
	if ((text = cx_plain(dir)) != NULL)
		dir->tests[0].v[0] = directory_text(w->mem, *text, name);
	cx_put(w, props, "File_Path", CXC_TEXT, dir);
}

const struct cx_hook cx_file_names = { read_file_names, write_file_names };

/* A directory has no object of its own: it is a file that has nothing but a path. */
static void
write_directory(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	struct cx *path = cx_find(from, "path");
	const struct slice *text;

	(void)row;
	if (path == NULL)
		return;
	if ((text = cx_plain(path)) != NULL)
		path->tests[0].v[0] = directory_text(w->mem, *text, NULL);
	cx_put(w, props, "File_Path", CXC_TEXT, path);
}

static const struct cx_hook directory_path = { NULL, write_directory };

static const struct cx_row directory_rows[] = {
	HOOK("", "path", directory_path),
	ROW("Modified_Time", "mtime", CXC_TIME),
	ROW("Accessed_Time", "atime", CXC_TIME),
	ROW("Created_Time", "ctime", CXC_TIME),
	SUB("~Contains", "contains_refs*", cx_file),
	ROW_END
};
static const struct cx_type directory = {
	"FileObjectType", "FileObj", "directory", NULL, directory_rows, NULL, false
};

/* FileObj. */
static const struct cx_row file_rows[] = {
	HOOK("", "name", cx_file_names),
	ROW("Size_In_Bytes", "size", CXC_INT),
	ROW("Magic_Number", "magic_number_hex", CXC_HEX),
	ROW("File_Format", "mime_type", CXC_MIME),
	HOOK("Hashes", "hashes", cx_hashes),
	ROW("Modified_Time", "mtime", CXC_TIME),
	ROW("Accessed_Time", "atime", CXC_TIME),
	ROW("Created_Time", "ctime", CXC_TIME),
	SUB("~Contains", "contains_refs*", cx_file),
	ROW_END
};
const struct cx_type cx_file = {
	"FileObjectType", "FileObj", "file", NULL, file_rows, NULL, false
};

/* WinFileObj. */
static const struct cx_row stream_rows[] = {
	HOOK("", "hashes", cx_hashes),
	ROW("Name", "name", CXC_TEXT),
	ROW("Size_In_Bytes", "size", CXC_INT),
	ROW_END
};
static const struct cx_type stream = { NULL, "WinFileObj", NULL, NULL, stream_rows, NULL, false };
static const struct cx_row win_file_rows[] = {
	ROW("Security_ID", "extensions.ntfs-ext.sid", CXC_TEXT),
	{ "Stream_List/Stream*", "extensions.ntfs-ext.alternate_data_streams*", CXC_TEXT, &stream, NULL,
	    CXR_HASHED },
	ROW_END
};
static const struct cx_type win_file = {
	"WindowsFileObjectType", "WinFileObj", "file", &cx_file, win_file_rows, NULL, false
};

/* WinExecutableFileObj. */
static const struct cx_row section_rows[] = {
	ROW("Section_Header/Name", "name", CXC_TEXT),
	ROW("Section_Header/Size_Of_Raw_Data", "size", CXC_HEXINT),
	HOOK("Data_Hashes", "hashes", cx_hashes),
	ROW("Entropy/Value", "entropy", CXC_FLOAT),
	ROW_END
};
static const struct cx_type section = {
	NULL, "WinExecutableFileObj", NULL, NULL, section_rows, NULL, false
};

#define HEADER(x, s, c)	ROW("Headers/Optional_Header/" x, PE "optional_header." s, c)
static const struct cx_row pe_rows[] = {
	ROW("Headers/File_Header/Machine", PE "machine_hex", CXC_HEX),
	ROW("Headers/File_Header/Number_Of_Sections", PE "number_of_sections", CXC_INT),
	ROW("Headers/File_Header/Time_Date_Stamp", PE "time_date_stamp", CXC_HEXTIME),
	ROW("Headers/File_Header/Pointer_To_Symbol_Table", PE "pointer_to_symbol_table_hex", CXC_HEX),
	ROW("Headers/File_Header/Number_Of_Symbols", PE "number_of_symbols", CXC_INT),
	ROW("Headers/File_Header/Size_Of_Optional_Header", PE "size_of_optional_header", CXC_HEXINT),
	ROW("Headers/File_Header/Characteristics", PE "characteristics_hex", CXC_HEX),
	HOOK("Headers/File_Header/Hashes", PE "file_header_hashes", cx_hashes),
	HEADER("Magic", "magic_hex", CXC_HEX),
	HEADER("Major_Linker_Version", "major_linker_version", CXC_HEXINT),
	HEADER("Minor_Linker_Version", "minor_linker_version", CXC_HEXINT),
	HEADER("Size_Of_Code", "size_of_code", CXC_HEXINT),
	HEADER("Size_Of_Initialized_Data", "size_of_initialized_data", CXC_HEXINT),
	HEADER("Size_Of_Uninitialized_Data", "size_of_uninitialized_data", CXC_HEXINT),
	HEADER("Address_Of_Entry_Point", "address_of_entry_point", CXC_HEXINT),
	HEADER("Base_Of_Code", "base_of_code", CXC_HEXINT),
	HEADER("Base_Of_Data", "base_of_data", CXC_HEXINT),
	HEADER("Image_Base", "image_base", CXC_HEXINT),
	HEADER("Section_Alignment", "section_alignment", CXC_HEXINT),
	HEADER("File_Alignment", "file_alignment", CXC_HEXINT),
	HEADER("Major_OS_Version", "major_os_version", CXC_HEXINT),
	HEADER("Minor_OS_Version", "minor_os_version", CXC_HEXINT),
	HEADER("Major_Image_Version", "major_image_version", CXC_HEXINT),
	HEADER("Minor_Image_Version", "minor_image_version", CXC_HEXINT),
	HEADER("Major_Subsystem_Version", "major_subsystem_version", CXC_HEXINT),
	HEADER("Minor_Subsystem_Version", "minor_subsystem_version", CXC_HEXINT),
	HEADER("Win32_Version_Value", "win32_version_value_hex", CXC_HEX),
	HEADER("Size_Of_Image", "size_of_image", CXC_HEXINT),
	HEADER("Size_Of_Headers", "size_of_headers", CXC_HEXINT),
	HEADER("Checksum", "checksum_hex", CXC_HEX),
	HEADER("Subsystem", "subsystem_hex", CXC_HEX),
	HEADER("DLL_Characteristics", "dll_characteristics_hex", CXC_HEX),
	HEADER("Size_Of_Stack_Reserve", "size_of_stack_reserve", CXC_HEXINT),
	HEADER("Size_Of_Stack_Commit", "size_of_stack_commit", CXC_HEXINT),
	HEADER("Size_Of_Heap_Reserve", "size_of_heap_reserve", CXC_HEXINT),
	HEADER("Size_Of_Heap_Commit", "size_of_heap_commit", CXC_HEXINT),
	HEADER("Loader_Flags", "loader_flags_hex", CXC_HEX),
	HEADER("Number_Of_Rva_And_Sizes", "number_of_rva_and_sizes", CXC_HEXINT),
	HOOK("Headers/Optional_Header/Hashes", PE "optional_header.hashes", cx_hashes),
	SUB("Sections/Section*", PE "sections*", section),
	ROW("Type", PE "pe_type", CXC_PE_TYPE),
	ROW_END
};
static const struct cx_type win_executable = {
	"WindowsExecutableFileObjectType", "WinExecutableFileObj", "file", &win_file, pe_rows, NULL, false
};
static const struct cx_row no_rows[] = { ROW_END };
static const struct cx_type win_driver = {
	"WindowsDriverObjectType", "WinDriverObj", "file", &win_executable, no_rows, NULL, true
};
static const struct cx_type unix_file = {
	"UnixFileObjectType", "UnixFileObj", "file", &cx_file, no_rows, NULL, true
};

/* PDFFileObj. The first trailer's ID holds what identifies the file, and what identifies this version. */
static void
read_pdf_ids(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	struct xml_node *id = cx_child(at, "ID_String");

	(void)row;
	if (id != NULL)
		cx_take(rd, into, "extensions.pdf-ext.pdfid0", CXC_TEXT, id);
	if (id != NULL && (id = cx_again(id)) != NULL)
		cx_take(rd, into, "extensions.pdf-ext.pdfid1", CXC_TEXT, id);
}

static void
write_pdf_ids(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	struct cx *id = cx_find(from, "extensions.pdf-ext.pdfid0");

	(void)row;
	if (id != NULL)
		cx_put(w, props, "Trailers/Trailer/ID/ID_String", CXC_TEXT, id);
}

static const struct cx_hook pdf_ids = { read_pdf_ids, write_pdf_ids };

#define PDF	"extensions.pdf-ext."
#define INFO(name) ROW("Metadata/Document_Information_Dictionary/" name, PDF "document_info_dict." name, \
	CXC_TEXT)
static const struct cx_row pdf_rows[] = {
	ROW("Metadata/@optimized", PDF "is_optimized", CXC_BOOL),
	INFO("Title"), INFO("Author"), INFO("Subject"), INFO("Keywords"), INFO("Creator"),
	INFO("Producer"), INFO("CreationDate"), INFO("ModDate"), INFO("Trapped"),
	ROW("Version", PDF "version", CXC_TEXT),
	HOOK("Trailers/Trailer/ID", PDF "pdfid0", pdf_ids),
	ROW_END
};
static const struct cx_type pdf_file = {
	"PDFFileObjectType", "PDFFileObj", "file", &cx_file, pdf_rows, NULL, false
};

static const struct cx_row archive_rows[] = {
	ROW("Comment", "extensions.archive-ext.comment", CXC_TEXT),
	SUB("Archived_File*", "extensions.archive-ext.contains_refs*", cx_file),
	ROW_END
};
static const struct cx_type archive_file = {
	"ArchiveFileObjectType", "ArchiveFileObj", "file", &cx_file, archive_rows, NULL, false
};

static const struct cx_row image_rows[] = {
	ROW("Image_Height", "extensions.raster-image-ext.image_height", CXC_INT),
	ROW("Image_Width", "extensions.raster-image-ext.image_width", CXC_INT),
	ROW("Bits_Per_Pixel", "extensions.raster-image-ext.bits_per_pixel", CXC_INT),
	ROW_END
};
static const struct cx_type image_file = {
	"ImageFileObjectType", "ImageFileObj", "file", &cx_file, image_rows, NULL, false
};

static const struct cx_row artifact_rows[] = {
	ROW("@content_type", "mime_type", CXC_MIME),
	HOOK("Hashes", "hashes", cx_hashes),
	ROW("Raw_Artifact", "payload_bin", CXC_BASE64),
	ROW("Raw_Artifact_Reference", "url", CXC_TEXT),
	ROW_END
};
static const struct cx_type artifact = {
	"ArtifactObjectType", "ArtifactObj", "artifact", NULL, artifact_rows, NULL, false
};

const struct cx_type *const cx_file_types[] = {
	&cx_file, &win_file, &win_executable, &pdf_file, &archive_file, &image_file, &artifact,
	&win_driver, &unix_file, &directory, NULL
};
