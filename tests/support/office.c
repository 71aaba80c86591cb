#include "tests/support/office.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PULL_COUNT = 2000, PULL_BYTES = 256 * 1024 };

void office_die(const char *what, enum err rc, const char *words)
{
	fprintf(stderr, "%s: %s: %s\n", what, err_name(rc), words);
	abort();
}

static void open_replica(struct office *o)
{
	struct replica_config config = { .path = o->path,
					 .vfs = o->vfs,
					 .create = true,
					 .sign_secret = o->sign_secret,
					 .dice = prng_dice(&o->prng),
					 .now_ms = o->now_ms };

	OFFICE_MUST(replica_open(&o->replica, &config, &msg));
	o->identity = replica_identity(o->replica, o->identity.noise_key);
}

void office_open_on(struct office *o, const char *vfs, const char *path, uint64_t seed)
{
	uint8_t key_seed[crypto_sign_SEEDBYTES];

	if (sodium_init() < 0)
		abort();
	*o = (struct office){ .now_ms = OFFICE_NOW_MS, .vfs = vfs };
	prng_init(&o->prng, seed);
	prng_fill(&o->prng, key_seed, sizeof(key_seed));
	prng_fill(&o->prng, o->identity.noise_key, NOISE_KEY_BYTES);
	crypto_sign_seed_keypair(o->identity.sign_key, o->sign_secret, key_seed);
	prng_fill(&o->prng, key_seed, sizeof(key_seed));
	crypto_sign_seed_keypair(o->root.key.bytes, o->root_secret, key_seed);
	o->root.secret = o->root_secret;
	snprintf(o->path, sizeof(o->path), "%s", path ? path : ":memory:");
	open_replica(o);
}

void office_open(struct office *o, const char *path, uint64_t seed)
{
	office_open_on(o, NULL, path, seed);
}

void office_open_again(struct office *o, const struct office *first)
{
	struct prng prng = first->prng;

	*o = *first;
	o->root.secret = o->root_secret;
	o->prng = prng_split(&prng);
	open_replica(o);
}

void office_close(struct office *o)
{
	replica_close(o->replica);
	o->replica = NULL;
}

void office_reopen(struct office *o)
{
	office_close(o);
	open_replica(o);
}

void office_found(struct office *o, const char *code)
{
	struct founding founding = { .org_name = "Acme",
				     .office_code = code,
				     .office_name = code,
				     .zone = "Asia/Shanghai",
				     .person_name = "李雷",
				     .roots = { 1, &o->root.key, 1 },
				     .node = o->identity };

	OFFICE_MUST(replica_found(o->replica, &founding, o->now_ms++, &msg));
}

void office_join(struct office *o, struct office *through, const char *code)
{
	struct admission admission = { .office_code = code,
				       .office_name = code,
				       .zone = "Europe/Berlin",
				       .is_admin = true,
				       .node = o->identity };

	OFFICE_MUST(replica_admit(through->replica, &admission, through->now_ms++, &msg));
	OFFICE_MUST(replica_join(o->replica, replica_org(through->replica), &msg));
	office_pull(o, through);
}

static int compare_roles(const void *a, const void *b)
{
	const struct office_role *x = a, *y = b;

	return strcmp(x->office_code, y->office_code);
}

/* Once each, in order. */
static size_t list_offices(struct office *o, struct office_role *out)
{
	size_t count, kept = 0;
	const struct member *members = replica_members(o->replica, &count);

	for (size_t i = 0; i < count; i++) {
		memcpy(out[i].office_code, members[i].office_code, sizeof(out[i].office_code));
		out[i].role = ROLE_MANAGER;
	}
	qsort(out, count, sizeof(*out), compare_roles);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare_roles(&out[kept - 1], &out[i]) != 0)
			out[kept++] = out[i];
	return kept;
}

struct space_id office_share(struct office *o)
{
	struct office_role offices[SPACE_OFFICES_MAX];
	struct statement s = { .type = STATEMENT_SPACE };

	prng_fill(&o->prng, s.u.space.nonce, ID_BYTES);
	s.u.space.offices = offices;
	s.u.space.office_count = list_offices(o, offices);
	OFFICE_MUST(replica_state(o->replica, &s, NULL, 0, o->now_ms++, &msg));
	return statement_space(&s.id);
}

struct space_id offices_unite(struct office *const *offices)
{
	static const char *const codes[] = { "SHA", "FRA", "NYC", "HKG" };
	struct space_id space;

	office_found(offices[0], codes[0]);
	for (size_t i = 1; offices[i]; i++)
		office_join(offices[i], offices[0], codes[i]);
	space = office_share(offices[0]);
	for (size_t i = 1; offices[i]; i++)
		office_pull(offices[i], offices[0]);
	return space;
}

void office_grant(struct office *o, const struct space_id *space, const char *code, enum role role)
{
	struct statement s = { .type = STATEMENT_GRANT };

	s.u.grant.space = *space;
	s.u.grant.role = role;
	snprintf(s.u.grant.office_code, sizeof(s.u.grant.office_code), "%s", code);
	OFFICE_MUST(replica_state(o->replica, &s, NULL, 0, o->now_ms++, &msg));
}

struct statement_list office_statements(const struct office *o)
{
	struct statement_list l;

	OFFICE_MUST(statement_list_read(&l, o->replica, &msg));
	return l;
}

size_t office_pull_statements(struct office *to, struct office *from)
{
	struct statement_list l = office_statements(from);
	struct statements_receipt receipt = { 0 };

	if (l.count)
		OFFICE_MUST(replica_take_statements(to->replica, l.list, l.count, to->now_ms,
						    &receipt, &msg));
	statement_list_release(&l);
	return receipt.added;
}

static size_t pull_space(struct office *to, struct office *from, const struct space_id *space)
{
	struct arena arena = ARENA_EMPTY;
	size_t applied = 0, count;
	bool more = true;

	while (more) {
		struct sealed *list;
		struct receipt receipt;

		arena_reset(&arena);
		OFFICE_MUST(replica_missing(from->replica, space, replica_vv(to->replica, space),
					    PULL_BYTES, PULL_COUNT, &arena, &list, &count, &more,
					    &msg));
		if (count == 0)
			break;
		OFFICE_MUST(replica_receive(to->replica, space, list, count, to->now_ms, &receipt,
					    &msg));
		applied += receipt.applied;
	}
	arena_release(&arena);
	return applied;
}

size_t office_pull(struct office *to, struct office *from)
{
	size_t applied = 0, count;
	bool changed;

	OFFICE_MUST(replica_refresh(to->replica, &changed, &msg));
	OFFICE_MUST(replica_refresh(from->replica, &changed, &msg));
	office_pull_statements(to, from);
	replica_spaces(from->replica, &count);
	for (size_t i = 0; i < count; i++) {
		struct space_id space = replica_spaces(from->replica, &count)[i];

		applied += pull_space(to, from, &space);
	}
	return applied;
}

void office_sync(struct office *a, struct office *b)
{
	office_pull(a, b);
	office_pull(b, a);
}

struct edit *office_edit(struct office *o, const struct space_id *space)
{
	struct edit *e;

	OFFICE_MUST(replica_begin(o->replica, &msg));
	OFFICE_MUST(edit_open(&e, o->replica, space, NULL, o->now_ms++, &msg));
	return e;
}

void office_seal(struct office *o, struct edit *e)
{
	OFFICE_MUST(edit_seal(e, &msg));
	OFFICE_MUST(replica_commit(o->replica, &msg));
}

struct record_id office_item(struct office *o, const struct space_id *space, const char *title)
{
	struct value value = value_str(title);

	return office_create(o, space, KIND_ACTION, ACTION_TITLE, &value);
}

struct record_id office_create(struct office *o, const struct space_id *space, uint16_t kind,
			       uint8_t field, const struct value *value)
{
	struct edit *e = office_edit(o, space);
	struct record_id id = edit_create(e);

	OFFICE_MUST(edit_set(e, kind, &id, field, value, &msg));
	office_seal(o, e);
	return id;
}

void office_set(struct office *o, const struct space_id *space, uint16_t kind,
		const struct record_id *id, uint8_t field, const struct value *value)
{
	struct edit *e = office_edit(o, space);

	OFFICE_MUST(edit_set(e, kind, id, field, value, &msg));
	office_seal(o, e);
}

void office_step(struct office *o, const struct space_id *space, uint16_t kind,
		 const struct record_id *id, uint8_t field, unsigned to)
{
	struct edit *e = office_edit(o, space);

	OFFICE_MUST(edit_step(e, kind, id, field, to, &msg));
	office_seal(o, e);
}

void office_add(struct office *o, const struct space_id *space, uint16_t kind,
		const struct record_id *id, uint8_t field, const struct value *value)
{
	struct edit *e = office_edit(o, space);

	OFFICE_MUST(edit_add(e, kind, id, field, value, &msg));
	office_seal(o, e);
}

void office_remove(struct office *o, const struct space_id *space, uint16_t kind,
		   const struct record_id *id, uint8_t field, const struct value *value)
{
	struct edit *e = office_edit(o, space);

	OFFICE_MUST(edit_remove(e, kind, id, field, value, &msg));
	office_seal(o, e);
}

void office_void(struct office *o, const struct space_id *space, uint16_t kind,
		 const struct record_id *id)
{
	struct edit *e = office_edit(o, space);

	OFFICE_MUST(edit_void(e, kind, id, &msg));
	office_seal(o, e);
}

void office_revive(struct office *o, const struct space_id *space, uint16_t kind,
		   const struct record_id *id)
{
	struct edit *e = office_edit(o, space);

	OFFICE_MUST(edit_revive(e, kind, id, &msg));
	office_seal(o, e);
}

struct sealed *office_log(struct office *o, const struct space_id *space, struct arena *arena,
			  size_t *count)
{
	struct sealed *list;
	bool more, changed;

	OFFICE_MUST(replica_refresh(o->replica, &changed, &msg));
	OFFICE_MUST(replica_missing(o->replica, space, &VV_EMPTY, SIZE_MAX, 100000, arena, &list,
				    count, &more, &msg));
	return list;
}

bool office_agrees(struct office *a, struct office *b)
{
	struct verify_report of_a, of_b;

	OFFICE_MUST(replica_verify(a->replica, &of_a, NULL, NULL, &msg));
	OFFICE_MUST(replica_verify(b->replica, &of_b, NULL, NULL, &msg));
	return memcmp(of_a.stored_hash, of_b.stored_hash, STATE_HASH_BYTES) == 0;
}

int64_t office_count(struct office *o, const char *sql)
{
	struct rows *rows;
	int64_t count;

	OFFICE_MUST(rows_open(&rows, o->replica, sql, NULL, 0, &msg));
	count = rows_next(rows) ? rows_int(rows, 0) : -1;
	OFFICE_MUST(rows_close(rows, &msg));
	return count;
}

int64_t office_items(struct office *o)
{
	return office_count(o, "SELECT count(*) FROM action_item");
}

size_t office_elements(struct office *o, const struct record_id *id, uint8_t field)
{
	struct arena arena = ARENA_EMPTY;
	struct element *list;
	size_t count;

	OFFICE_MUST(
		replica_elements(o->replica, KIND_ACTION, id, field, &arena, &list, &count, &msg));
	arena_release(&arena);
	return count;
}
