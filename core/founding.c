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

static struct record_id put_office(struct writer *w, const char *code, const char *name,
				   const char *zone)
{
	struct record_id id = edit_create(w->edit);

	put_text(w, KIND_OFFICE, &id, OFFICE_CODE, code);
	put_text(w, KIND_OFFICE, &id, OFFICE_NAME, name ? name : code);
	put_text(w, KIND_OFFICE, &id, OFFICE_ZONE, zone);
	put(w, KIND_OFFICE, &id, OFFICE_CLOSES, value_int(18 * 60));
	return id;
}

static void put_node(struct writer *w, const struct record_id *office,
		     const struct node_identity *node, int64_t block, const char *address)
{
	struct record_id id = edit_create(w->edit);

	put(w, KIND_NODE, &id, NODE_OFFICE, value_ref(office));
	put(w, KIND_NODE, &id, NODE_REPLICA, value_bytes(bytes_of(node->replica.bytes, ID_BYTES)));
	put(w, KIND_NODE, &id, NODE_SIGN_KEY,
	    value_bytes(bytes_of(node->sign_key, SIGN_PUBLIC_BYTES)));
	put(w, KIND_NODE, &id, NODE_NOISE_KEY,
	    value_bytes(bytes_of(node->noise_key, NOISE_KEY_BYTES)));
	put(w, KIND_NODE, &id, NODE_BLOCK, value_int(block));
	if (address && w->rc == OK) {
		struct value value = value_str(address);

		w->rc = edit_add(w->edit, KIND_NODE, &id, NODE_ADDRESSES, &value, w->msg);
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

/* Seal what was written, or drop it; then end the transaction either way. */
static enum err finish(struct replica *r, struct writer *w)
{
	if (w->rc == OK)
		w->rc = edit_seal(w->edit, w->msg);
	else
		edit_drop(w->edit);
	if (w->rc == OK)
		return replica_commit(r, w->msg);
	replica_rollback(r);
	return w->rc;
}

static enum err begin(struct replica *r, struct writer *w, uint64_t now_ms)
{
	struct space_id directory;
	enum err rc = replica_begin(r, w->msg);

	if (rc != OK)
		return rc;
	directory = replica_directory(r);
	rc = edit_open(&w->edit, r, &directory, NULL, now_ms, w->msg);
	if (rc != OK)
		replica_rollback(r);
	return rc;
}

enum err replica_found(struct replica *r, const struct founding *f, uint64_t now_ms,
		       struct errmsg *msg)
{
	struct writer w = { NULL, OK, msg };
	struct record_id org, office;
	enum err rc = check_office(f->office_code, f->zone, msg);

	if (rc == OK && r->has_org)
		rc = errmsg_set(msg, ERR_EXISTS, "this replica is part of an organisation");
	if (rc == OK)
		rc = begin(r, &w, now_ms);
	if (rc != OK)
		return rc;
	org = edit_create(w.edit);
	put_text(&w, KIND_ORGANISATION, &org, ORGANISATION_NAME, f->org_name);
	office = put_office(&w, f->office_code, f->office_name, f->zone);
	put_node(&w, &office, &f->node, 0, f->address);
	put_person(&w, &office, f->person_name);
	rc = finish(r, &w);
	/* It is stored: what can't be read at once is stale, and read later. */
	if (rc == OK && replica_reload(r, NULL) != OK)
		r->stale = true;
	return rc;
}

/* The office with this code, and how many nodes it has. */
static enum err find_office(struct replica *r, const char *code, struct record_id *id,
			    int64_t *nodes, struct errmsg *msg)
{
	static const char sql[] = "SELECT o.id, (SELECT count(*) FROM r_node n WHERE n.office = "
				  "o.id) FROM r_office o WHERE o.code = ?1 ORDER BY o.id LIMIT 1";
	struct value arg = value_str(code);
	struct rows *rows;
	enum err rc = store_rows_open(&rows, r->store, sql, &arg, 1, msg);

	if (rc != OK)
		return rc;
	if (rows_next(rows)) {
		*id = rows_id(rows, 0);
		*nodes = rows_int(rows, 1);
	}
	return rows_close(rows, msg);
}

enum err replica_admit(struct replica *r, const struct admission *a, uint64_t now_ms,
		       struct errmsg *msg)
{
	struct writer w = { NULL, OK, msg };
	struct record_id office = { 0 };
	int64_t nodes = 0;
	enum err rc = check_office(a->office_code, a->zone, msg);

	if (rc == OK && !r->has_org)
		rc = errmsg_set(msg, ERR_ORG, "this replica belongs to no organisation yet");
	if (rc == OK && replica_member_by_replica(r, &a->node.replica))
		rc = errmsg_set(msg, ERR_EXISTS, "this node is a member already");
	if (rc == OK)
		rc = begin(r, &w, now_ms);
	if (rc != OK)
		return rc;
	w.rc = find_office(r, a->office_code, &office, &nodes, msg);
	if (w.rc == OK && record_id_is_nil(&office))
		office = put_office(&w, a->office_code, a->office_name, a->zone);
	put_node(&w, &office, &a->node, nodes, a->address);
	put_person(&w, &office, a->person_name);
	return finish(r, &w);
}
