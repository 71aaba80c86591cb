#include "node/damage_view.h"

#include <stdio.h>

#include "node/i18n.h"

static const char *const kind_names[DAMAGE_KIND_COUNT] = {
	[DAMAGE_STRUCTURE] = "structure", [DAMAGE_STATEMENT] = "statement",
	[DAMAGE_FOLD] = "fold",           [DAMAGE_CHANGESET] = "changeset",
	[DAMAGE_BRANCH] = "branch",       [DAMAGE_STATE] = "state",
};

static bool has_dot(const struct damage *d)
{
	return d->kind == DAMAGE_CHANGESET || d->kind == DAMAGE_BRANCH;
}

void damage_view(char out[DAMAGE_VIEW_BYTES], const struct damage *d)
{
	static const char *const titles[DAMAGE_KIND_COUNT] = {
		[DAMAGE_STRUCTURE] = N_("the database"),
		[DAMAGE_STATEMENT] = N_("a statement"),
		[DAMAGE_FOLD] = N_("the membership"),
		[DAMAGE_STATE] = N_("the records"),
	};
	char replica[ID_TEXT_SIZE], space[ID_TEXT_SIZE];

	if (has_dot(d))
		snprintf(out, DAMAGE_VIEW_BYTES,
			 d->kind == DAMAGE_BRANCH
				 ? _("changeset %llu of replica %.8s in space %.8s, out of the log")
				 : _("changeset %llu of replica %.8s in space %.8s"),
			 (unsigned long long)d->dot.seq, id_text(d->dot.replica.bytes, replica),
			 id_text(d->space.bytes, space));
	else
		snprintf(out, DAMAGE_VIEW_BYTES, "%s: %s", _(titles[d->kind]), d->words);
}

const char *damage_prospect(const struct damage *d)
{
	if (d->kind == DAMAGE_BRANCH)
		return _("it is not written again, all else is; huitong repair leaves it out");
	if (d->is_beyond)
		return _("with the daemon stopped: huitong repair");
	if (d->kind == DAMAGE_CHANGESET || d->kind == DAMAGE_STATEMENT)
		return _("it is asked of the other offices; if they have it not: huitong repair");
	return _("the daemon makes it anew");
}

static json_t *one_json(const struct damage *d)
{
	char text[DAMAGE_VIEW_BYTES], replica[ID_TEXT_SIZE], space[ID_TEXT_SIZE];

	damage_view(text, d);
	if (!has_dot(d))
		return json_pack("{s:s, s:s, s:b}", "what", kind_names[d->kind], "detail", text,
				 "beyond", d->is_beyond);
	return json_pack("{s:s, s:s, s:b, s:s, s:s, s:I}", "what", kind_names[d->kind], "detail",
			 text, "beyond", d->is_beyond, "space", id_text(d->space.bytes, space),
			 "replica", id_text(d->dot.replica.bytes, replica), "seq",
			 (json_int_t)d->dot.seq);
}

json_t *damage_view_json(const struct scrub_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->damage.count; i++)
		if (json_array_append_new(list, one_json(&state->damage.list[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:I, s:I, s:b, s:I, s:o, s:b}", "began_ms", (json_int_t)state->began_ms,
			 "ended_ms", (json_int_t)state->ended_ms, "at_work", state->is_at_work,
			 "mended", (json_int_t)state->mended, "damage", list, "more",
			 state->damage.has_more);
}
