#include "node/daemon_status.h"

#include <unistd.h>

#include "node/i18n.h"

static const char *const state_names[] = {
	[PEER_DOWN] = N_("down"),           [PEER_DIALLING] = N_("dialling"),
	[PEER_HANDSHAKE] = N_("handshake"), [PEER_SYNCING] = N_("syncing"),
	[PEER_IN_SYNC] = N_("in-sync"),     [PEER_REFUSED] = N_("refused"),
};

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *number_or_null(uint64_t n)
{
	return n ? number(n) : json_null();
}

/* A peer's last words may hold anything. */
static json_t *text(const char *s)
{
	json_t *json = json_string(s);

	return json ? json : json_string("?");
}

static json_t *text_if_any(const char *s)
{
	return *s ? text(s) : json_null();
}

static json_t *peer_json(const struct peer_status *p, struct now now)
{
	uint64_t dial_ms = p->next_dial_mono_ms;
	uint64_t dial_in_ms = dial_ms > now.mono_ms ? dial_ms - now.mono_ms : 0;

	return json_pack("{s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}",
			 "office", text(p->office_code), "address", text_if_any(p->address),
			 "state", state_names[p->state], "inbound", p->inbound, "changesets_sent",
			 number(p->changesets_sent), "changesets_received",
			 number(p->changesets_received), "bytes_sent", number(p->bytes_sent),
			 "bytes_received", number(p->bytes_received), "to_send",
			 p->knows_to_send ? number(p->to_send) : json_null(), "last_seen_ms",
			 number_or_null(p->last_seen_wall_ms), "skew_ms", (json_int_t)p->skew_ms,
			 "next_dial_in_ms", dial_ms ? number(dial_in_ms) : json_null(),
			 "last_error", text_if_any(p->last_error));
}

static json_t *peers_json(const struct daemon_facts *facts)
{
	json_t *list = json_array();
	size_t count = engine_peer_count(facts->engine);

	for (size_t i = 0; i < count; i++) {
		struct peer_status status;

		engine_peer_status(facts->engine, i, &status);
		/* A NULL element fails, and takes the list with it. */
		if (json_array_append_new(list, peer_json(&status, facts->now)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *daemon_peers_json(const struct daemon_facts *facts)
{
	return json_pack("{s:o}", "peers", peers_json(facts));
}

static json_t *disk_json(const struct ballast *b)
{
	return json_pack("{s:o, s:s, s:b}", "free_bytes", number(b->free_bytes), "room",
			 room_name(b->room), "has_ballast", b->is_there || !b->size_bytes);
}

json_t *daemon_status_json(const struct daemon_facts *facts)
{
	return json_pack("{s:i, s:s, s:o, s:s, s:i, s:b, s:b, s:o, s:o}", "pid", (int)getpid(),
			 "version", HUITONG_VERSION, "started_ms", number(facts->started_ms),
			 "listen", facts->listen, "port", (int)facts->port, "paused",
			 engine_is_paused(facts->engine), "idle", engine_is_idle(facts->engine),
			 "disk", disk_json(facts->ballast), "peers", peers_json(facts));
}
