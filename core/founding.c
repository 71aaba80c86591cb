/* How an organisation begins and how it grows: the records that a founding and an
 * admission write. */
#include <stdio.h>
#include <string.h>

#include "core/replica_impl.h"

/* A change being written: the first error stops the rest. */
struct writer {
	struct edit *edit;
	enum err rc;
	struct errmsg *msg;
};

static void put(struct writer *w, uint16_t kind, const struct record_id *id, uint8_t field,
		struct value value)
{
	if (w->rc == OK)
		w->rc = edit_set(w->edit, kind, id, field, &value, w->msg);
}

static void put_text(struct writer *w, uint16_t kind, const struct record_id *id, uint8_t field,
		     const char *text)
{
	if (text)
		put(w, kind, id, field, value_str(text));
}

static enum err check_office(const char *code, const char *zone, struct errmsg *msg)
{
	if (!code || !office_code_is_valid(code))
		return errmsg_set(msg, ERR_INVALID,
				  "an office's code is 2 to %d of A-Z and 0-9, not \"%s\"",
				  OFFICE_CODE_MAX, code ? code : "");
	if (!zone)
		return errmsg_set(msg, ERR_INVALID, "office %s needs a time zone", code);
	return OK;
}

static void put_office(struct writer *w, const struct record_id *id, const char *code,
		       const char *name, const char *zone)
{
	put_text(w, KIND_OFFICE, id, OFFICE_CODE, code);
	put_text(w, KIND_OFFICE, id, OFFICE_NAME, name ? name : code);
	put_text(w, KIND_OFFICE, id, OFFICE_ZONE, zone);
	put(w, KIND_OFFICE, id, OFFICE_CLOSES, value_int(18 * 60));
}

static void put_node(struct writer *w, const struct record_id *id, const struct record_id *office,
		     const char *address)
{
	put(w, KIND_NODE, id, NODE_OFFICE, value_ref(office));
	if (address && w->rc == OK) {
		struct value value = value_str(address);

		w->rc = edit_add(w->edit, KIND_NODE, id, NODE_ADDRESSES, &value, w->msg);
	}
}

static void put_person(struct writer *w, const struct record_id *office, const char *name)
{
	struct record_id id;

	if (!name)
		return;
	id = edit_create(w->edit);
	put_text(w, KIND_PERSON, &id, PERSON_NAME, name);
	put(w, KIND_PERSON, &id, PERSON_OFFICE, value_ref(office));
	put(w, KIND_PERSON, &id, PERSON_ACTIVE, value_int(1));
}

/* Two offices may admit nodes of a third at once: it is one record all the same. */
static enum err has_office(struct replica *r, const struct record_id *office, bool *out,
			   struct errmsg *msg)
{
	struct value arg = value_ref(office);
	struct rows *rows;
	enum err rc = store_rows_open(&rows, r->store, "SELECT 1 FROM r_office WHERE id = ?1", &arg,
				      1, msg);

	if (rc != OK)
		return rc;
	*out = rows_next(rows);
	return rows_close(rows, msg);
}

/* What an admission writes into the directory beside its statement. */
static void write_records(struct replica *r, struct writer *w, const struct admission *a,
			  const struct record_id *node, uint64_t now_ms)
{
	struct space_id directory = replica_directory(r);
	struct record_id office = office_record(r->org, a->office_code);
	bool is_known = false;

	w->rc = edit_open(&w->edit, r, &directory, NULL, now_ms, w->msg);
	if (w->rc != OK)
		return;
	w->rc = has_office(r, &office, &is_known, w->msg);
	if (!is_known)
		put_office(w, &office, a->office_code, a->office_name, a->zone);
	put_node(w, node, &office, a->address);
	put_person(w, &office, a->person_name);
}

/* Seal what was written, or drop it. */
static enum err finish(struct writer *w)
{
	if (w->rc == OK)
		return edit_seal(w->edit, w->msg);
	edit_drop(w->edit);
	return w->rc;
}

static enum err end(struct replica *r, enum err rc, struct errmsg *msg)
{
	if (rc == OK)
		return replica_commit(r, msg);
	replica_rollback(r);
	return rc;
}

static void fill_entry(struct node_entry *out, const struct record_id *node, const char *code,
		       uint32_t block, bool is_admin, const struct node_identity *identity)
{
	*out = (struct node_entry){
		.node = *node, .block = block, .is_admin = is_admin, .identity = *identity
	};
	memcpy(out->office_code, code, strlen(code) + 1);
}

static enum err state_genesis(struct replica *r, const struct founding *f,
			      const struct record_id *node, uint64_t now_ms, struct errmsg *msg)
{
	struct statement genesis = { .type = STATEMENT_GENESIS, .wall_ms = now_ms };
	struct signer self = membership_signer(r);

	dice_fill(&r->dice, genesis.u.genesis.nonce, ID_BYTES);
	genesis.u.genesis.roots = f->roots;
	fill_entry(&genesis.u.genesis.node, node, f->office_code, 0, true, &f->node);
	return membership_state(r, &genesis, &self, 1, msg);
}

static enum err found(struct replica *r, const struct founding *f, uint64_t now_ms,
		      struct errmsg *msg)
{
	struct admission first = { .office_code = f->office_code,
				   .office_name = f->office_name,
				   .zone = f->zone,
				   .person_name = f->person_name,
				   .address = f->address };
	struct writer w = { NULL, OK, msg };
	struct record_id node = record_id_new(now_ms, &r->dice), org;
	enum err rc = state_genesis(r, f, &node, now_ms, msg);

	if (rc != OK)
		return rc;
	write_records(r, &w, &first, &node, now_ms);
	if (w.rc == OK) {
		org = edit_create(w.edit);
		put_text(&w, KIND_ORGANISATION, &org, ORGANISATION_NAME, f->org_name);
	}
	return finish(&w);
}

enum err replica_found(struct replica *r, const struct founding *f, uint64_t now_ms,
		       struct errmsg *msg)
{
	enum err rc = check_office(f->office_code, f->zone, msg);

	if (rc == OK && r->has_org)
		rc = errmsg_set(msg, ERR_EXISTS, "this replica is part of an organisation");
	if (rc == OK && (f->roots.count == 0 || f->roots.count > ROOTS_MAX))
		rc = errmsg_set(msg, ERR_INVALID, "an organisation has 1 to %d root keys",
				ROOTS_MAX);
	if (rc == OK)
		rc = replica_begin(r, msg);
	if (rc != OK)
		return rc;
	rc = found(r, f, now_ms, msg);
	if (rc == OK && f->confirm)
		rc = f->confirm(f->ctx, msg);
	return end(r, rc, msg);
}

/* The office's first node counts without letters, each further one with its own. */
static uint32_t next_block(const struct replica *r, const char *code)
{
	uint32_t next = 0;

	for (size_t i = 0; i < r->trust->node_count; i++) {
		const struct trust_node *node = &r->trust->nodes[i];

		if (strcmp(node->office_code, code) == 0 && node->block >= next)
			next = node->block + 1;
	}
	return next;
}

static enum err admit(struct replica *r, const struct admission *a, uint64_t now_ms,
		      struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_ADMIT };
	struct writer w = { NULL, OK, msg };
	struct record_id node = record_id_new(now_ms, &r->dice);
	uint32_t block = next_block(r, a->office_code);
	enum err rc;

	if (block > BLOCK_MAX)
		return errmsg_set(msg, ERR_LIMIT, "office %s has had %d nodes", a->office_code,
				  BLOCK_MAX + 1);
	fill_entry(&s.u.admit, &node, a->office_code, block, a->is_admin, &a->node);
	rc = replica_state(r, &s, NULL, 0, now_ms, msg);
	if (rc != OK)
		return rc;
	write_records(r, &w, a, &node, now_ms);
	return finish(&w);
}

enum err replica_admit(struct replica *r, const struct admission *a, uint64_t now_ms,
		       struct errmsg *msg)
{
	enum err rc = check_office(a->office_code, a->zone, msg);

	if (rc == OK && !r->has_org)
		rc = errmsg_set(msg, ERR_ORG, "this replica belongs to no organisation yet");
	if (rc == OK)
		rc = replica_begin(r, msg);
	if (rc != OK)
		return rc;
	if (r->trust && trust_epoch(r->trust, &a->node.replica))
		rc = errmsg_set(msg, ERR_EXISTS, "this node is a member already");
	else
		rc = replica_check_member(r, msg);
	return end(r, rc == OK ? admit(r, a, now_ms, msg) : rc, msg);
}
