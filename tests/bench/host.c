#include "tests/bench/host.h"

#include <sodium.h>

#include "tests/support/statement_list.h"

static const struct {
	const char *code, *name, *zone;
} places[] = {
	[OFFICE_SHA] = { "SHA", "上海", "Asia/Shanghai" },
	[OFFICE_FRA] = { "FRA", "Frankfurt", "Europe/Berlin" },
};

static void fill_dice(void *ctx, uint8_t *out, size_t size)
{
	randombytes_buf(out, size);
}

struct dice host_dice(void)
{
	return (struct dice){ .fill = fill_dice };
}

struct space_id host_space(const struct host *h)
{
	size_t count;

	return replica_spaces(h->replica, &count)[1];
}

static void make_keys(struct host *h, unsigned number)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	memset(seed, (int)number + 1, sizeof(seed));
	crypto_sign_seed_keypair(h->sign_public, h->sign_secret, seed);
	memset(h->noise_secret, (int)number + 0x41, sizeof(h->noise_secret));
}

void host_open(struct host *h, unsigned number, const char *path, bool read_only)
{
	struct replica_config config = { .path = path,
					 .create = !read_only,
					 .read_only = read_only,
					 .sign_secret = h->sign_secret,
					 .dice = host_dice(),
					 .now_ms = clock_wall_ms() };
	struct errmsg msg = { 0 };

	make_keys(h, number);
	must(replica_open(&h->replica, &config, &msg), &msg, path);
}

void host_close(struct host *h)
{
	replica_close(h->replica);
	h->replica = NULL;
}

static struct node_identity identity(const struct host *h)
{
	uint8_t noise_key[NOISE_KEY_BYTES];

	crypto_scalarmult_base(noise_key, h->noise_secret);
	return replica_identity(h->replica, noise_key);
}

static void copy_statements(struct host *to, struct host *from)
{
	struct statement_list l;
	struct statements_receipt receipt;
	struct errmsg msg = { 0 };

	must(statement_list_read(&l, from->replica, &msg), &msg, "read statements");
	must(replica_take_statements(to->replica, l.list, l.count, clock_wall_ms(), &receipt, &msg),
	     &msg, "take statements");
	statement_list_release(&l);
}

/* What `from` has of the directory, as an enrolment would bring it. */
static void copy_directory(struct host *to, struct host *from)
{
	struct space_id directory = replica_directory(from->replica);
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct receipt receipt;
	size_t count;
	bool more;
	struct errmsg msg = { 0 };

	must(replica_join(to->replica, replica_org(from->replica), &msg), &msg, "join");
	copy_statements(to, from);
	must(replica_missing(from->replica, &directory, replica_vv(to->replica, &directory),
			     1 << 20, 1000, &arena, &list, &count, &more, &msg),
	     &msg, "read the directory");
	must(replica_receive(to->replica, &directory, list, count, clock_wall_ms(), &receipt, &msg),
	     &msg, "receive the directory");
	arena_release(&arena);
}

/* Both offices take part in one space. */
static void make_space(struct host *h)
{
	struct office_role offices[] = { { .role = ROLE_MANAGER }, { .role = ROLE_MANAGER } };
	struct statement s = { .type = STATEMENT_SPACE };
	struct errmsg msg = { 0 };

	snprintf(offices[0].office_code, sizeof(offices[0].office_code), "%s",
		 places[OFFICE_FRA].code);
	snprintf(offices[1].office_code, sizeof(offices[1].office_code), "%s",
		 places[OFFICE_SHA].code);
	s.u.space.offices = offices;
	s.u.space.office_count = 2;
	must(replica_state(h->replica, &s, NULL, 0, clock_wall_ms(), &msg), &msg, "space");
}

static void found(struct host *sha, struct host *fra)
{
	struct sign_key root = { { 1 } };
	struct founding founding = { .org_name = "Bench",
				     .office_code = places[OFFICE_SHA].code,
				     .office_name = places[OFFICE_SHA].name,
				     .zone = places[OFFICE_SHA].zone,
				     .person_name = "李雷",
				     .roots = { 1, &root, 1 },
				     .node = identity(sha) };
	struct admission admission = { .office_code = places[OFFICE_FRA].code,
				       .office_name = places[OFFICE_FRA].name,
				       .zone = places[OFFICE_FRA].zone,
				       .person_name = "Jo",
				       .node = identity(fra) };
	struct errmsg msg = { 0 };

	must(replica_found(sha->replica, &founding, clock_wall_ms(), &msg), &msg, "found");
	must(replica_admit(sha->replica, &admission, clock_wall_ms(), &msg), &msg, "admit");
	make_space(sha);
	copy_directory(fra, sha);
}

void hosts_new(const struct bench *b, struct host *sha)
{
	char path[BENCH_PATH_MAX];
	struct host fra;

	bench_remove(bench_path(b, "sha.db", path));
	host_open(sha, OFFICE_SHA, path, false);
	bench_remove(bench_path(b, "fra.db", path));
	host_open(&fra, OFFICE_FRA, path, false);
	found(sha, &fra);
	host_close(&fra);
}

static void put(struct edit *edit, const struct record_id *id, uint8_t field, struct value value)
{
	struct errmsg msg = { 0 };

	must(edit_set(edit, KIND_ACTION, id, field, &value, &msg), &msg, "set");
}

static void put_row(struct edit *edit, const struct action_row *row)
{
	struct record_id id = edit_create(edit);

	put(edit, &id, ACTION_NUMBER, value_str(row->number));
	put(edit, &id, ACTION_TITLE, value_str(row->title));
	put(edit, &id, ACTION_OWNER, value_ref(&row->owner));
	put(edit, &id, ACTION_DUE, value_str(row->due));
	put(edit, &id, ACTION_DELIVERABLE, value_str(row->deliverable));
	put(edit, &id, ACTION_PRIORITY, value_int(row->priority));
	put(edit, &id, ACTION_MEETING, value_ref(&row->meeting));
	put(edit, &id, ACTION_TOPIC, value_ref(&row->topic));
}

static struct edit *open_edit(struct host *h, const struct record_id *author)
{
	struct space_id space = host_space(h);
	struct edit *edit;
	struct errmsg msg = { 0 };

	must(edit_open(&edit, h->replica, &space, author, clock_wall_ms(), &msg), &msg, "edit");
	return edit;
}

static void seal(struct edit *edit)
{
	struct errmsg msg = { 0 };

	must(edit_seal(edit, &msg), &msg, "seal");
}

void host_begin(struct host *h)
{
	struct errmsg msg = { 0 };

	must(replica_begin(h->replica, &msg), &msg, "begin");
}

void host_commit(struct host *h)
{
	struct errmsg msg = { 0 };

	must(replica_commit(h->replica, &msg), &msg, "commit");
}

void host_fill(struct host *h, const struct action_row *rows, size_t count, size_t batch)
{
	struct edit *edit = NULL;

	for (size_t i = 0; i < count; i++) {
		if (i % BATCH == 0)
			host_begin(h);
		if (i % batch == 0)
			edit = open_edit(h, &rows[i].owner);
		put_row(edit, &rows[i]);
		if ((i + 1) % batch == 0 || i + 1 == count)
			seal(edit);
		if ((i + 1) % BATCH == 0 || i + 1 == count)
			host_commit(h);
	}
}

void host_insert(struct host *h, const struct action_row *row)
{
	struct edit *edit;

	host_begin(h);
	edit = open_edit(h, &row->owner);
	put_row(edit, row);
	seal(edit);
	host_commit(h);
}

void host_retitle(struct host *h, const struct record_id *id, const char *title)
{
	struct edit *edit = open_edit(h, NULL);

	put(edit, id, ACTION_TITLE, value_str(title));
	seal(edit);
}

uint64_t host_held(const struct host *h)
{
	struct space_id space = host_space(h);
	const struct vv *vv = replica_vv(h->replica, &space);
	uint64_t held = 0;

	for (size_t i = 0; i < vv->count; i++)
		held += vv->entries[i].seq;
	return held;
}
