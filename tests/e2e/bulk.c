/* Write many action items into a replica, one changeset each: what a test of
 * catching up needs, and the command line would take minutes for.
 *
 *     bulk FOLDER COUNT
 *
 * They go into the folder's only collaboration. The daemon may be running. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "node/context.h"
#include "node/control.h"

enum { BATCH = 1000 }; /* changesets that become durable together */

struct bulk {
	struct folder folder;
	struct identity identity;
	struct replica *replica;
	struct space_id space;
	unsigned year;
};

static void must(enum err rc, const struct errmsg *msg)
{
	if (rc == OK)
		return;
	fprintf(stderr, "bulk: %s\n", msg->text[0] ? msg->text : err_name(rc));
	exit(1);
}

static void open_replica(struct bulk *b, const char *folder)
{
	struct replica_config config = { .path = b->folder.database,
					 .sign_secret = b->identity.sign_secret,
					 .dice = system_dice(),
					 .now_ms = system_now_ms() };
	struct errmsg msg = { 0 };
	time_t now = time(NULL);
	size_t count;

	must(folder_locate(&b->folder, folder, &msg), &msg);
	must(identity_load(&b->identity, b->folder.identity, &msg), &msg);
	must(replica_open(&b->replica, &config, &msg), &msg);
	b->space = replica_spaces(b->replica, &count)[1];
	if (count != 2)
		must(errmsg_set(&msg, ERR_AMBIGUOUS, "not one collaboration"), &msg);
	b->year = (unsigned)gmtime(&now)->tm_year + 1900;
}

static void put(struct edit *edit, const struct record_id *id, uint8_t field, struct value value)
{
	struct errmsg msg = { 0 };

	must(edit_set(edit, KIND_ACTION, id, field, &value, &msg), &msg);
}

static void add_action(struct bulk *b, unsigned long n)
{
	char number[NUMBER_TEXT_MAX], title[64];
	struct errmsg msg = { 0 };
	struct record_id id;
	struct edit *edit;

	snprintf(title, sizeof(title), "第 %lu 项 item %lu", n, n);
	must(replica_number(b->replica, KIND_ACTION, b->year, number, &msg), &msg);
	must(edit_open(&edit, b->replica, &b->space, NULL, system_now_ms(), &msg), &msg);
	id = edit_create(edit);
	put(edit, &id, ACTION_NUMBER, value_str(number));
	put(edit, &id, ACTION_TITLE, value_str(title));
	put(edit, &id, ACTION_PRIORITY, value_int((int64_t)(n % 3)));
	must(edit_seal(edit, &msg), &msg);
}

int main(int argc, char *argv[])
{
	struct errmsg msg = { 0 };
	struct bulk b = { 0 };
	unsigned long count;

	if (argc != 3 || sodium_init() < 0) {
		fprintf(stderr, "usage: bulk FOLDER COUNT\n");
		return 2;
	}
	count = strtoul(argv[2], NULL, 10);
	open_replica(&b, argv[1]);
	for (unsigned long done = 0; done < count;) {
		unsigned long end = done + BATCH < count ? done + BATCH : count;

		must(replica_begin(b.replica, &msg), &msg);
		while (done < end)
			add_action(&b, ++done);
		must(replica_commit(b.replica, &msg), &msg);
	}
	control_nudge(b.folder.path);
	replica_close(b.replica);
	identity_clear(&b.identity);
	return 0;
}
