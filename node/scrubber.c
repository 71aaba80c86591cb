#include "node/scrubber.h"

#include <stdio.h>

#include "node/damage_view.h"
#include "node/i18n.h"

enum err scrubber_open(struct scrubber *s, struct replica *r, struct now now, struct errmsg *msg)
{
	s->replica = r;
	s->start_ms = now.mono_ms;
	return scrub_new(&s->scrub, r, msg);
}

void scrubber_close(struct scrubber *s)
{
	scrub_free(s->scrub);
	s->scrub = NULL;
}

void scrubber_set(struct scrubber *s, uint64_t period_s)
{
	uint64_t wait_ms;

	s->period_ms = period_s * 1000;
	wait_ms = s->period_ms < SCRUBBER_START_MS ? s->period_ms : SCRUBBER_START_MS;
	s->next_ms = s->start_ms + wait_ms;
}

uint64_t scrubber_deadline(const struct scrubber *s)
{
	return s->period_ms && s->scrub ? s->next_ms : UINT64_MAX;
}

static void look(struct scrubber *s, struct now now)
{
	struct errmsg why = { 0 };
	enum err rc = OK;

	s->next_ms = now.mono_ms + SCRUBBER_LOOK_MS;
	if (!scrub_is_due(s->scrub, now.wall_ms, s->period_ms))
		return;
	s->next_ms = now.mono_ms + SCRUBBER_PAUSE_MS;
	rc = scrub_slice(s->scrub, now.wall_ms, SCRUBBER_ROWS, &why);
	if (rc == OK)
		return;
	s->next_ms = now.mono_ms + SCRUBBER_RETRY_MS;
	s->say(s->ctx, rc == ERR_BUSY ? LOG_DEBUG : LOG_ERROR, "scrub", why.text);
}

static void say_damage(struct scrubber *s, const struct damage *d)
{
	char text[DAMAGE_VIEW_BYTES], detail[2 * DAMAGE_VIEW_BYTES];

	damage_view(text, d);
	snprintf(detail, sizeof(detail), "%s; %s", text, damage_prospect(d));
	s->say(s->ctx, LOG_ERROR, "damage", detail);
}

static void say_mended(struct scrubber *s, const struct damage_list *l)
{
	char text[DAMAGE_VIEW_BYTES], detail[2 * DAMAGE_VIEW_BYTES];
	unsigned long long others = l->mended - s->said_mended - 1;

	damage_view(text, &l->last);
	if (others)
		snprintf(detail, sizeof(detail), _("put back: %s, and %llu more"), text, others);
	else
		snprintf(detail, sizeof(detail), _("put back: %s"), text);
	s->say(s->ctx, LOG_WARN, "mended", detail);
}

bool scrubber_turn(struct scrubber *s, struct now now)
{
	const struct damage_list *l = replica_damage(s->replica);
	bool is_news;

	if (s->scrub && s->period_ms && now.mono_ms >= s->next_ms)
		look(s, now);
	is_news = l->serial != s->said_serial || l->mended != s->said_mended;
	if (!is_news)
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i].serial > s->said_serial)
			say_damage(s, &l->list[i]);
	if (l->mended != s->said_mended)
		say_mended(s, l);
	s->said_serial = l->serial;
	s->said_mended = l->mended;
	if (s->scrub)
		scrub_keep(s->scrub, now.wall_ms);
	return true;
}
