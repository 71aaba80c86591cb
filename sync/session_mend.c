/* Mending: changesets that are damaged here are asked for, one after the other, wherever the peer
 * holds them, and put back (core/damage.h). A peer is asked once in a session. */
#include "core/damage.h"
#include "sync/session_impl.h"

static bool was_asked(const struct session *s, uint64_t serial)
{
	for (size_t i = 0; i < s->lost_count; i++)
		if (s->lost[i] == serial)
			return true;
	return false;
}

static void note_asked(struct session *s, uint64_t serial)
{
	if (s->lost_count == DAMAGE_MAX)
		memmove(s->lost, s->lost + 1, --s->lost_count * sizeof(*s->lost));
	s->lost[s->lost_count++] = serial;
}

static bool may_have(const struct session *s, const struct parts *parts, const struct damage *d)
{
	const struct space_sync *sp = space_table_find(&s->spaces, &d->space);

	return d->kind == DAMAGE_CHANGESET && !d->is_beyond && sp && sp->is_known &&
	       session_shares(s, parts, &d->space) && vv_covers(&sp->peer, &d->dot);
}

enum err session_ask_lost(struct session *s, struct now now)
{
	const struct damage_list *l = replica_damage(s->config.replica);
	struct message m = { .type = MESSAGE_ASK };
	struct parts parts;

	if (s->is_asking || l->count == 0)
		return OK;
	parts = session_parts(s);
	for (size_t i = 0; i < l->count; i++) {
		const struct damage *d = &l->list[i];

		if (was_asked(s, d->serial) || !may_have(s, &parts, d))
			continue;
		note_asked(s, d->serial);
		s->is_asking = s->asks_lost = true;
		s->asked_space = d->space;
		s->asked = d->dot;
		m.u.ask = (struct message_ask){ d->space, d->dot };
		return session_say(s, now, &m);
	}
	return OK;
}

enum err session_mend(struct session *s, const struct message_tell *t, bool *is_mended,
		      struct errmsg *msg)
{
	enum err rc;

	*is_mended = false;

	rc = replica_mend(s->config.replica, &t->space, &t->dot, &t->told, is_mended, msg);
	/* What follows it in the log can be sent again. */
	if (rc == OK && *is_mended)
		s->news.changed_spaces = 2;
	/* It is beyond that, which is noted; the session is none the worse. */
	return rc == ERR_CORRUPT ? OK : rc;
}
