/* cmd_backup.c -- `tocsin backup FILE`: the store as it is now, in one file, while the node goes on. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/arena.h"
#include "gateway/cmd.h"
#include "gateway/config.h"
#include "gateway/store_backup.h"

static int
backup(const struct config *conf, const char *to)
{
	struct err e = ERR_INIT;
	struct stat st;

	if (strcmp(conf->store_path, "memory") == 0)
		return cmd_fail("the store is in the node's memory; there is no file to copy");
	if (store_backup(conf->store_path, to, &e) < 0)
		return cmd_fail_err(&e);
	if (stat(to, &st) < 0)
		return cmd_fail("%s is gone again", to);
	printf("%s holds the store as it is now: %lld bytes. Keys, credentials and configuration are "
	    "files of their own.\n", to, (long long)st.st_size);
	return CMD_DONE;
}

static int
run(const struct args *a)
{
	struct complaints c = { .mem = arena_new() };
	struct config *conf = config_load(cmd_config_path(a), &c);
	int status = conf == NULL ? cmd_complaints(&c) : backup(conf, a->v[0]);

	config_free(conf);
	arena_free(c.mem);
	return status;
}

static const struct cmd_option options[] = { CMD_CONFIG, { .name = NULL } };

const struct command command_backup = {
	"backup", "FILE", 1, 1, "a copy of the store, while the node goes on",
	"Copies one state of the store into FILE, which must not be there yet, syncs it and looks "
	"through it. The node may be running; its write-ahead log grows meanwhile. To restore: stop "
	"the node, take tocsin.db with its -wal and -shm away, put FILE in the place of tocsin.db, "
	"start. What had gone out since the backup goes out again, and is known where it arrives; "
	"what had come in since is asked for again from where it came.",
	options, run
};
