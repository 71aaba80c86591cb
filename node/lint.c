#include "node/lint.h"

#include <string.h>

#include "node/i18n.h"
#include "node/record_view.h"

/* Opinions where facts belong. */
static const char *const opinions[] = {
	"我认为", "我觉得", "应该", "大概", "I think", "I believe", "I feel", "should", "maybe",
};

static void advise(const char *text)
{
	fprintf(stderr, _("advice: %s\n"), text);
}

static bool is_given(const struct record *rec, uint8_t field)
{
	const struct entry *shown = record_shown(rec, field);

	return shown && shown->value.type != VALUE_NIL;
}

enum err lint_action(struct context *ctx, const struct record_id *id, struct errmsg *msg)
{
	struct record rec;
	enum err rc = record_load(ctx, KIND_ACTION, id, &rec, NULL, msg);

	if (rc != OK)
		return rc;
	if (!is_given(&rec, ACTION_OWNER))
		advise(_("nobody owns it yet: huitong action assign"));
	if (!is_given(&rec, ACTION_DUE))
		advise(_("it has no due date yet: huitong action due"));
	return OK;
}

void lint_when(const struct when_reader *r, const struct walltime *w)
{
	char text[WHEN_TEXT_BYTES];

	if (when_caution(r, w, text))
		advise(text);
}

void lint_minutes(struct bytes text)
{
	for (size_t i = 0; i < sizeof(opinions) / sizeof(opinions[0]); i++)
		if (text.size && memmem(text.data, text.size, opinions[i], strlen(opinions[i]))) {
			fprintf(stderr,
				_("advice: \"%s\": minutes say what was decided and why, "
				  "not what somebody thinks\n"),
				opinions[i]);
			return;
		}
}
