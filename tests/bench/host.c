#include "tests/bench/host.h"

#include <sodium.h>

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

struct space_id host_space(void)
{
	struct space_id id;

	memset(id.bytes, 0x5a, ID_BYTES);
	return id;
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
	struct node_identity node = { .replica = *replica_id(h->replica) };

	memcpy(node.sign_key, h->sign_public, SIGN_PUBLIC_BYTES);
	crypto_scalarmult_base(node.noise_key, h->noise_secret);
	return node;
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
	must(replica_missing(from->replica, &directory, replica_vv(to->replica, &directory),
			     1 << 20, 1000, &arena, &list, &count, &more, &msg),
	     &msg, "read the directory");
	must(replica_receive(to->replica, &directory, list, count, clock_wall_ms(), &receipt, &msg),
	     &msg, "receive the directory");
	arena_release(&arena);
}

/* Say in the directory that both offices take part in the space. */
static void grant_space(struct host *h)
{
	struct space_id space = host_space(), directory = replica_directory(h->replica);
	struct value id = value_bytes(bytes_of(space.bytes, ID_BYTES)), name = value_str("bench");
	const struct member *members;
	struct record_id record;
	struct edit *edit;
	size_t count;
	struct errmsg msg = { 0 };

	must(replica_begin(h->replica, &msg), &msg, "begin");
	must(edit_open(&edit, h->replica, &directory, NULL, clock_wall_ms(), &msg), &msg, "edit");
	record = edit_create(edit);
	must(edit_set(edit, KIND_SPACE, &record, SPACE_NAME, &name, &msg), &msg, "name");
	must(edit_set(edit, KIND_SPACE, &record, SPACE_ID, &id, &msg), &msg, "space");
	members = replica_members(h->replica, &count);
	for (size_t i = 0; i < count; i++) {
		struct value office = value_ref(&members[i].office);

		must(edit_add(edit, KIND_SPACE, &record, SPACE_OFFICES, &office, &msg), &msg,
		     "grant");
	}
	must(edit_seal(edit, &msg), &msg, "seal");
	must(replica_commit(h->replica, &msg), &msg, "commit");
}

static void found(struct host *sha, struct host *fra)
{
	struct founding founding = { .org_name = "Bench",
				     .office_code = places[OFFICE_SHA].code,
				     .office_name = places[OFFICE_SHA].name,
				     .zone = places[OFFICE_SHA].zone,
				     .person_name = "李雷",
				     .node = identity(sha) };
	struct admission admission = { .office_code = places[OFFICE_FRA].code,
				       .office_name = places[OFFICE_FRA].name,
				       .zone = places[OFFICE_FRA].zone,
				       .person_name = "Jo",
				       .node = identity(fra) };
	struct errmsg msg = { 0 };

	must(replica_found(sha->replica, &founding, clock_wall_ms(), &msg), &msg, "found");
	must(replica_admit(sha->replica, &admission, clock_wall_ms(), &msg), &msg, "admit");
	grant_space(sha);
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
	struct space_id space = host_space();
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

uint64_t host_held(const struct host *h, const struct replica_id *author)
{
	struct space_id space = host_space();

	return vv_get(replica_vv(h->replica, &space), author);
}
