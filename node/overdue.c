#include "node/overdue.h"

bool overdue_of(const struct when_reader *reader, const struct value *due,
		const struct value *state, struct due *out)
{
	unsigned now = state_to(state);
	struct walltime when;

	if (due->type != VALUE_TEXT || now == ACTION_DONE || now == ACTION_CANCELLED)
		return false;
	if (walltime_parse(&when, due->bytes) != OK || due_of(out, reader, &when, NULL) != OK)
		return false;
	return out->is_overdue;
}
