#include "node/minutes.h"

#include <sodium.h>

#include "node/i18n.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/space.h"

/* The id follows from the meeting's: two offices that begin the minutes of one
 * meeting at the same time begin the same record. A UUIDv8, with the meeting's
 * time in front. */
static struct record_id id_of(const struct record_id *meeting)
{
	static const char domain[] = "huitong-minutes-1";
	crypto_generichash_state state;
	struct record_id id;

	crypto_generichash_init(&state, NULL, 0, ID_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof(domain) - 1);
	crypto_generichash_update(&state, meeting->bytes, ID_BYTES);
	crypto_generichash_final(&state, id.bytes, ID_BYTES);
	memcpy(id.bytes, meeting->bytes, 6);
	id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0x0f));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return id;
}

static enum err meeting_of(struct context *ctx, const struct record_id *minutes,
			   struct record_id *out, struct errmsg *msg)
{
	const struct entry *shown;
	struct record rec;
	enum err rc = record_load(ctx, KIND_MINUTES, minutes, &rec, NULL, msg);

	if (rc != OK)
		return rc;
	shown = record_shown(&rec, MINUTES_MEETING);
	if (!shown || shown->value.type != VALUE_REF)
		return errmsg_set(msg, ERR_NOT_FOUND, _("these minutes have no meeting"));
	*out = shown->value.ref;
	return OK;
}

enum err minutes_find(struct minutes *out, struct context *ctx, const char *text,
		      struct errmsg *msg)
{
	struct minutes m = { .exists = true };
	struct space_id ignored;
	enum err rc;

	if (ref_find_id(ctx, KIND_MINUTES, text, &m.id, NULL) == OK) {
		rc = meeting_of(ctx, &m.id, &m.meeting, msg);
	} else {
		rc = ref_find_id(ctx, KIND_MEETING, text, &m.meeting, msg);
		if (rc == OK) {
			m.id = id_of(&m.meeting);
			m.exists = space_of(ctx, KIND_MINUTES, &m.id, &ignored, NULL) == OK;
		}
	}
	if (rc == OK)
		rc = space_of(ctx, KIND_MEETING, &m.meeting, &m.space, msg);
	if (rc == OK)
		*out = m;
	return rc;
}

enum err minutes_check_open(struct context *ctx, const struct record_id *minutes,
			    struct errmsg *msg)
{
	const struct field *state = kind_field(schema_kind(KIND_MINUTES), MINUTES_STATE);
	struct buf label = BUF_EMPTY;
	struct record rec;
	enum err rc = record_load(ctx, KIND_MINUTES, minutes, &rec, NULL, msg);

	if (rc != OK)
		return rc == ERR_NOT_FOUND ? OK : rc;
	if (!(state->machine->final >> record_state(&rec, state) & 1))
		return OK;
	rc = ref_label(ctx, KIND_MINUTES, minutes, &label, msg);
	if (rc == OK)
		rc = errmsg_set(msg, ERR_INVALID,
				_("%.*s is final: nothing in it is changed any more"),
				(int)label.size, (const char *)label.data);
	buf_release(&label);
	return rc;
}
