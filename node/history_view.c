#include "node/history_view.h"

#include "node/field_text.h"
#include "node/ref.h"

struct search {
	struct authorship *list;
	size_t count, left;
};

static bool note(void *arg, const struct space_id *space, const struct history_item *item)
{
	struct search *s = arg;

	for (size_t i = 0; i < s->count; i++) {
		struct authorship *one = &s->list[i];

		if (one->is_found || dot_cmp(&one->dot, &item->stamp.dot) != 0)
			continue;
		one->author = item->author;
		one->is_found = true;
		s->left--;
	}
	return s->left > 0;
}

enum err authorship_find(struct context *ctx, const struct record_id *record,
			 struct authorship *list, size_t count, struct errmsg *msg)
{
	struct search s = { list, count, count };

	return replica_history(ctx->replica, record, count ? SIZE_MAX : 0, note, &s, msg);
}

struct element_search {
	struct arena *arena;
	const struct target *target;
	struct value value;
	enum err rc;
};

static enum err keep_value(struct arena *arena, const struct value *value, struct value *out)
{
	bool is_borrowed =
		value->type == VALUE_TEXT || value->type == VALUE_BYTES || value->type == VALUE_RAW;
	struct bytes copy;

	*out = *value;
	if (!is_borrowed || value->bytes.size == 0)
		return OK;
	copy = arena_copy(arena, value->bytes);
	if (!copy.data)
		return ERR_NOMEM;
	out->bytes = copy;
	return OK;
}

static bool seek_element(void *arg, const struct space_id *space, const struct history_item *item)
{
	struct element_search *s = arg;
	const struct changeset *cs = item->changeset;

	if (dot_cmp(&s->target->dot, &item->stamp.dot) != 0)
		return true;
	for (size_t i = 0; i < cs->op_count; i++)
		if (cs->ops[i].verb == VERB_ADD && cs->ops[i].n == s->target->n)
			s->rc = keep_value(s->arena, &cs->ops[i].value, &s->value);
	return false;
}

enum err history_removed(struct context *ctx, const struct op *removal, struct value *out,
			 struct errmsg *msg)
{
	struct element_search s = { .arena = &ctx->arena, .value = value_nil(), .rc = OK };
	enum err rc = OK;

	/* All that one removal aims at are equal: the first will do. */
	s.target = removal->targets;
	if (removal->target_count)
		rc = replica_history(ctx->replica, &removal->record, SIZE_MAX, seek_element, &s,
				     msg);
	if (rc == OK)
		rc = s.rc;
	if (rc == OK)
		*out = s.value;
	return rc;
}

const char *office_of(struct context *ctx, const struct replica_id *replica)
{
	const struct member *member = replica_member_by_replica(ctx->replica, replica);

	return member ? member->office_code : "";
}

enum err author_show(struct context *ctx, const struct record_id *author,
		     const struct replica_id *replica, struct buf *out, struct errmsg *msg)
{
	const char *office = office_of(ctx, replica);
	enum err rc = OK;

	if (record_id_is_nil(author)) {
		buf_append_str(out, *office ? office : "?");
		return OK;
	}
	rc = ref_label(ctx, KIND_PERSON, author, out, msg);
	if (rc == OK && *office)
		buf_printf(out, " (%s)", office);
	return rc;
}

enum err author_json(struct context *ctx, const struct record_id *author, json_t **out,
		     struct errmsg *msg)
{
	static const struct field person = { .name = "author",
					     .format = FORMAT_REF,
					     .ref = KIND_PERSON };
	struct value value = record_id_is_nil(author) ? value_nil() : value_ref(author);

	return field_json(ctx, &person, &value, out, msg);
}
