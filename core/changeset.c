#include "core/changeset.h"

#include <sodium.h>

#include "core/changeset_format.h"
#include "core/limits.h"
#include "core/schema.h"
#include "core/text_edit.h"
#include "core/wire.h"

const struct verb_shape verb_shapes[VERB_COUNT] = {
	[VERB_SET] = { .value = true },
	[VERB_REPLACE] = { .targets = true, .value = true },
	[VERB_ADD] = { .value = true },
	[VERB_REMOVE] = { .targets = true },
	[VERB_VOID] = { .observed = true, .targets = true },
	[VERB_REVIVE] = { .targets = true },
	[VERB_SPLICE] = { .targets = true, .edit = true, .value = true },
};

/* Links. */

void changeset_body_hash(uint8_t out[LINK_BYTES], struct bytes body)
{
	crypto_generichash(out, LINK_BYTES, body.data, body.size, NULL, 0);
}

void changeset_link_over(uint8_t out[LINK_BYTES], const struct space_id *space,
			 const struct replica_id *replica, const struct feed_head *head,
			 const uint8_t body_hash[LINK_BYTES])
{
	static const char domain[] = "huitong-link-1";
	crypto_generichash_state state;
	uint8_t seq[8];

	for (int i = 0; i < 8; i++)
		seq[i] = (uint8_t)((head->seq + 1) >> (56 - 8 * i));
	crypto_generichash_init(&state, NULL, 0, LINK_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof(domain) - 1);
	crypto_generichash_update(&state, space->bytes, ID_BYTES);
	crypto_generichash_update(&state, replica->bytes, ID_BYTES);
	crypto_generichash_update(&state, seq, sizeof(seq));
	crypto_generichash_update(&state, head->link, LINK_BYTES);
	crypto_generichash_update(&state, head->signature, SIGNATURE_BYTES);
	crypto_generichash_update(&state, body_hash, LINK_BYTES);
	crypto_generichash_final(&state, out, LINK_BYTES);
}

void changeset_link(uint8_t out[LINK_BYTES], const struct space_id *space,
		    const struct replica_id *replica, const struct feed_head *head,
		    struct bytes body)
{
	uint8_t hash[LINK_BYTES];

	changeset_body_hash(hash, body);
	changeset_link_over(out, space, replica, head, hash);
}

void changeset_sign(uint8_t out[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES],
		    const uint8_t secret[SIGN_SECRET_BYTES])
{
	crypto_sign_detached(out, NULL, link, LINK_BYTES, secret);
}

bool changeset_is_signed_by(const uint8_t signature[SIGNATURE_BYTES],
			    const uint8_t link[LINK_BYTES],
			    const uint8_t public_key[SIGN_PUBLIC_BYTES])
{
	return crypto_sign_verify_detached(signature, link, LINK_BYTES, public_key) == 0;
}

/* Order. */

int op_cmp(const struct op *a, const struct op *b)
{
	int order = record_id_cmp(&a->record, &b->record);

	if (order)
		return order;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->field != b->field)
		return a->field < b->field ? -1 : 1;
	return (a->verb > b->verb) - (a->verb < b->verb);
}

enum err changeset_check_size(const char *what, size_t size, size_t max, struct errmsg *msg)
{
	if (size <= max)
		return OK;
	return errmsg_set(msg, ERR_LIMIT, "changeset: %zu %s, the limit is %zu", size, what, max);
}

enum err changeset_peek_hlc(struct bytes body, struct hlc_stamp *out)
{
	struct wire_reader r = wire_reader_of(body);
	struct hlc_stamp hlc;

	wire_array(&r, 7);
	wire_uint(&r, CHANGESET_VERSION);
	hlc.bits = wire_uint(&r, UINT64_MAX);
	if (!wire_is_ok(&r))
		return r.rc;
	*out = hlc;
	return OK;
}

/* Validation against the schema. */

static bool verb_fits(const struct field *field, enum verb verb)
{
	if (field->merge == MERGE_TEXT)
		return verb == VERB_SET || verb == VERB_SPLICE;
	if (merge_is_register(field->merge))
		return verb == VERB_SET || verb == VERB_REPLACE;
	return verb == VERB_ADD || (verb == VERB_REMOVE && field->merge == MERGE_SET);
}

static enum err validate_splice(const struct field *field, const struct op *op, struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct text_edit e = { .text = op->value.bytes };
	enum err rc = text_edit_decode(&e, op->edit, &arena, msg);

	if (rc == OK)
		rc = text_edit_validate(&e, msg);
	arena_release(&arena);
	return rc == OK ? OK : errmsg_prefix(msg, rc, "%s: ", field->name);
}

static enum err validate_op(const struct kind *kind, const struct op *op, struct errmsg *msg)
{
	const struct field *field = kind_field(kind, op->field);
	enum err rc = OK;

	if (op->field == 0 || !field)
		return OK;
	if (!verb_fits(field, op->verb))
		return errmsg_set(msg, ERR_INVALID, "%s.%s: a verb that does not fit the field",
				  kind->name, field->name);
	if (verb_shapes[op->verb].value)
		rc = field_validate(field, &op->value, msg);
	if (rc == OK && op->verb == VERB_SPLICE)
		rc = validate_splice(field, op, msg);
	return rc == OK ? OK : errmsg_prefix(msg, rc, "%s.", kind->name);
}

/* A choice or a state that a newer schema has added. */
static bool is_newer(const struct kind *kind, const struct op *op)
{
	const struct field *field = kind_field(kind, op->field);

	return field && (field->format == FORMAT_CHOICE || field->format == FORMAT_STATE) &&
	       op->value.type == VALUE_INT && op->value.number >= 0 && verb_fits(field, op->verb);
}

enum err changeset_validate(struct changeset *cs, bool directory, enum validity validity,
			    struct errmsg *msg)
{
	for (size_t i = 0; i < cs->op_count; i++) {
		const struct kind *kind = schema_kind(cs->ops[i].kind);
		enum err rc;

		if (!kind)
			continue;
		rc = kind_check_place(kind, directory, msg);
		if (rc == OK)
			rc = validate_op(kind, &cs->ops[i], msg);
		cs->ops[i].is_ignored = rc != OK;
		if (rc != OK && validity == VALIDITY_RECEIVED && !is_newer(kind, &cs->ops[i]))
			return rc;
	}
	return OK;
}
