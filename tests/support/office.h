/* Offices of one organisation, for tests: replicas with keys, dice and clocks
 * of their own, in memory or in a file.
 *
 * What a test takes for granted ends the program with a message when it fails;
 * what a test is about, it calls itself on `replica`. Same seed, same world. */
#ifndef HT_TESTS_SUPPORT_OFFICE_H
#define HT_TESTS_SUPPORT_OFFICE_H

#include "core/replica.h"
#include "tests/support/prng.h"
#include "tests/support/statement_list.h"

/* 2027-01-15T08:00:00Z: where the clocks of offices begin. */
#define OFFICE_NOW_MS UINT64_C(1800000000000)

struct office {
	struct replica *replica;
	struct prng prng;
	struct node_identity identity;
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	struct signer root; /* of the organisation, if it was founded here */
	uint8_t root_secret[SIGN_SECRET_BYTES];
	uint64_t now_ms; /* its clock: one more after each edit */
	char path[256];
	const char *vfs; /* NULL: the system's */
};

/* End the program unless `call` returns OK; it may use `msg`. */
#define OFFICE_MUST(call)                                     \
	do {                                                  \
		struct errmsg msg = { .text = "" };           \
		enum err must_rc = (call);                    \
		if (must_rc != OK)                            \
			office_die(#call, must_rc, msg.text); \
	} while (0)

void office_die(const char *what, enum err rc, const char *words) __attribute__((noreturn));

/* A replica that belongs to nobody yet. path NULL: in memory. */
void office_open(struct office *o, const char *path, uint64_t seed);
/* The same on a VFS of SQLite's by name, which is borrowed. */
void office_open_on(struct office *o, const char *vfs, const char *path, uint64_t seed);
/* Another handle on the same file, with the same keys: as a second process. */
void office_open_again(struct office *o, const struct office *first);
void office_close(struct office *o);
/* As after a restart; it may be closed already. */
void office_reopen(struct office *o);

/* Founds the organisation. */
void office_found(struct office *o, const char *code);
/* Admitted by `through`, as an admin; then it has the directory. */
void office_join(struct office *o, struct office *through, const char *code);

/* The first founds, the others join through it, as SHA, FRA, NYC and HKG; returns a space that
 * they share. All hold the same then. */
struct space_id offices_unite(struct office *const *offices);
#define UNITE(...) offices_unite((struct office *const[]){ __VA_ARGS__, NULL })

/* A collaboration's space of which all offices known to `o` are managers. */
struct space_id office_share(struct office *o);
void office_grant(struct office *o, const struct space_id *space, const char *code, enum role role);

struct statement_list office_statements(const struct office *o);
/* The statements of membership alone; returns how many were new. */
size_t office_pull_statements(struct office *to, struct office *from);

/* The statements, and everything of all spaces, that `to` lacks and `from` has; returns how many.
 */
size_t office_pull(struct office *to, struct office *from);
void office_sync(struct office *a, struct office *b);

/* An edit in a transaction of its own; office_seal() makes it durable. */
struct edit *office_edit(struct office *o, const struct space_id *space);
void office_seal(struct office *o, struct edit *e);

/* One edit each. */
struct record_id office_item(struct office *o, const struct space_id *space, const char *title);
struct record_id office_create(struct office *o, const struct space_id *space, uint16_t kind,
			       uint8_t field, const struct value *value);
void office_set(struct office *o, const struct space_id *space, uint16_t kind,
		const struct record_id *id, uint8_t field, const struct value *value);
void office_step(struct office *o, const struct space_id *space, uint16_t kind,
		 const struct record_id *id, uint8_t field, unsigned to);
void office_add(struct office *o, const struct space_id *space, uint16_t kind,
		const struct record_id *id, uint8_t field, const struct value *value);
void office_remove(struct office *o, const struct space_id *space, uint16_t kind,
		   const struct record_id *id, uint8_t field, const struct value *value);
void office_void(struct office *o, const struct space_id *space, uint16_t kind,
		 const struct record_id *id);
void office_revive(struct office *o, const struct space_id *space, uint16_t kind,
		   const struct record_id *id);

/* The log of a space as it stands, in causal order; from the arena. */
struct sealed *office_log(struct office *o, const struct space_id *space, struct arena *arena,
			  size_t *count);

/* Their states are equal, and each equals what its log says. */
bool office_agrees(struct office *a, struct office *b);
/* Action items, void ones too. */
int64_t office_items(struct office *o);
/* How many elements a field of an action item has. */
size_t office_elements(struct office *o, const struct record_id *id, uint8_t field);
/* The figure that a query of one row and one column gives. */
int64_t office_count(struct office *o, const char *sql);

#endif
