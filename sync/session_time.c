/* A session in time: when it pings, compares, gives up, and begins anew. */
#include "sync/session_impl.h"

void session_plan_compare(struct session *s, struct now now)
{
	s->compare_ms =
		now.mono_ms + COMPARE_AFTER_MS + dice_below(s->config.dice, COMPARE_AFTER_MS / 2);
}

static bool is_begun(const struct session *s)
{
	return s->state == SESSION_OPEN;
}

/* The listener waits a little longer: dialling again is the dialler's. */
static uint64_t renew_ms(const struct session *s)
{
	return s->began_ms + RENEW_AFTER_MS + (s->config.is_dialler ? 0 : RENEW_SLACK_MS);
}

static uint64_t begin_by_ms(const struct session *s)
{
	return s->patient_ms + (s->config.is_dialler ? DIAL_MS_MAX : ACCEPT_MS_MAX);
}

static uint64_t min_ms(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t session_deadline(const struct session *s)
{
	uint64_t at;

	if (s->state == SESSION_CLOSED)
		return UINT64_MAX;
	if (!is_begun(s))
		return begin_by_ms(s);
	at = min_ms(s->sent_ms + PING_AFTER_MS, s->received_ms + DEAD_AFTER_MS);
	at = min_ms(at, renew_ms(s));
	if (s->held_until_ms)
		at = min_ms(at, s->held_look_ms);
	if (s->room_look_ms)
		at = min_ms(at, s->room_look_ms);
	return s->config.is_dialler ? min_ms(at, s->compare_ms) : at;
}

/* In the next session it is offered again. Looked at again and again: it may be our
 * clock that is set right. */
static bool is_held_due(struct session *s, struct now now)
{
	if (s->held_until_ms == 0 || now.mono_ms < s->held_look_ms)
		return false;
	s->held_look_ms = now.mono_ms + HELD_LOOK_MS;
	return now.wall_ms >= s->held_until_ms;
}

static void tick_open(struct session *s, struct now now)
{
	struct message ping = { .type = MESSAGE_PING };
	enum err rc = OK;

	if (now.mono_ms >= renew_ms(s)) {
		session_close(s, BYE_RENEW, "new keys are due");
		return;
	}
	if (is_held_due(s, now)) {
		session_close(s, BYE_RENEW, "what was held back can be taken now");
		return;
	}
	if (s->room_look_ms && now.mono_ms >= s->room_look_ms) {
		session_close(s, BYE_RENEW, "what found no room may find it now");
		return;
	}
	if (s->config.is_dialler && now.mono_ms >= s->compare_ms) {
		session_compare(s, now);
		session_plan_compare(s, now);
	}
	/* Each side speaks at least that often, so silence means a dead link however
	 * long the other side's queue is. */
	if (s->state == SESSION_OPEN && now.mono_ms >= s->sent_ms + PING_AFTER_MS) {
		dice_fill(s->config.dice, &ping.u.ping.nonce, sizeof(ping.u.ping.nonce));
		rc = session_say(s, now, &ping);
	}
	if (rc)
		session_fail(s, rc, NULL);
}

void session_tick(struct session *s, struct now now)
{
	struct errmsg msg = { 0 };

	if (s->state == SESSION_CLOSED)
		return;
	if (!is_begun(s) && now.mono_ms >= begin_by_ms(s))
		errmsg_set(&msg, ERR_TIMEOUT, "the handshake took too long");
	else if (is_begun(s) && now.mono_ms >= s->received_ms + DEAD_AFTER_MS)
		errmsg_set(&msg, ERR_TIMEOUT, "nothing was heard for %d s", DEAD_AFTER_MS / 1000);
	if (msg.code)
		session_fail(s, msg.code, &msg);
	else if (is_begun(s))
		tick_open(s, now);
}
