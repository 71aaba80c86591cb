/* One conversation with one peer over one connection. Sans-I/O: bytes and time
 * go in, bytes and a deadline come out.
 *
 *   HANDSHAKE --key is proved--> TRUST --both are members--> OPEN
 *       |                           |                          |
 *       +--ticket is valid--> ENROL |                          |
 *       |                       |   |                          |
 *       +-----------------------+---+--------------------------+--> CLOSED
 *
 * In TRUST both bring their statements of membership to the same set, by which each
 * knows the other's key (session_membership.c); it holds nothing back from a member that
 * was away, and tells a stranger nothing.
 *
 * In OPEN each side compares digests of what it holds, the directory first,
 * then vectors where digests differ; then streams what the other lacks, and
 * whatever comes new. Which message is legal in which state stands in one table
 * (session.c). The replica changes only by replica_receive(), replica_take_statements(),
 * what follows from a fork (session_fork.c) and, for a newcomer, replica_admit().
 *
 * The invariants that session_check() asserts:
 *   S-1  bytes in flight are those of the chunks in flight, and both are bounded
 *   S-2  whatever the peer holds has been offered:  peer <= offered
 *   S-3  nothing is sent before it is known what the peer holds of the directory
 *   S-4  before both know each other, by the statements of both, nothing else is said: no
 *        space is announced, and nothing is in flight */
#ifndef HT_SYNC_SESSION_H
#define HT_SYNC_SESSION_H

#include "core/pack.h"
#include "core/replica.h"
#include "proto/limits.h"
#include "proto/noise.h"
#include "sync/now.h"

enum session_state {
	SESSION_HANDSHAKE,
	SESSION_TRUST,
	SESSION_OPEN,
	SESSION_ENROL,
	SESSION_CLOSED,
	SESSION_STATE_COUNT
};

enum session_time {
	ACCEPT_MS_MAX = 5000,      /* until a stranger is none */
	DIAL_MS_MAX = 15000,       /* connecting, and until the listener is known */
	PING_AFTER_MS = 20000,     /* without anything to send */
	DEAD_AFTER_MS = 60000,     /* without anything received */
	COMPARE_AFTER_MS = 180000, /* anti-entropy, by the dialler; up to half more */
	RENEW_AFTER_MS = 3600000,  /* the dialler asks for new keys, the listener a bit later */
	RENEW_SLACK_MS = 300000,
	HELD_RETRY_MS = 60000,  /* at most so often is one ended to take what was held back */
	HELD_LOOK_MS = 20000,   /* so often its date is looked at after that */
	ROOM_RETRY_MS = 600000, /* what found no room waits so long, unless the statements change */
	OWNER_HEALS_MS = 60000, /* a fork is left so long to the node whose feed it is */
};

struct session;

struct session_config {
	/* Borrowed while the session lives: */
	struct replica *replica;
	const struct noise_keypair *key; /* ours */
	const uint8_t *sign_key;         /* ours, public; told to newcomers */
	const struct dice *dice;
	struct arena *arena; /* for one message at a time; reset after it */
	struct pack *pack;   /* borrowed: CHANGES travel packed */
	const char *tzdata;  /* its version, or NULL */
	bool is_dialler;
	const uint8_t *expected_key; /* copied; NULL: any member's */
};

/* ERR_NOMEM. The replica must belong to an organisation. */
MUST_CHECK enum err session_new(struct session **out, const struct session_config *config,
				struct now now);
void session_free(struct session *s); /* NULL-safe */

/* Bytes arrived: handles all that is whole in them. */
void session_receive(struct session *s, struct now now, struct bytes data);

/* Time passed. */
void session_tick(struct session *s, struct now now);
uint64_t session_deadline(const struct session *s); /* mono_ms; UINT64_MAX = none */

/* The replica holds more than before: of one space, or of any (NULL); or its statements
 * have changed, by which the peer may be a member no longer. */
void session_wake(struct session *s, struct now now, const struct space_id *space);

/* Ask whether both hold the same; session_is_in_sync() tells, a round trip later. */
void session_compare(struct session *s, struct now now);

/* Make at most one chunk of what the peer lacks. Call while session_has_work()
 * and the connection's queue is short. */
bool session_has_work(const struct session *s);
void session_push(struct session *s, struct now now);

/* Bytes to send, in order; the owner takes them with session_sent(). */
struct bytes session_outgoing(const struct session *s);
void session_sent(struct session *s, size_t bytes);

/* Short of room: what the peer sends from now on is neither stored nor acknowledged, so
 * that it stops once its window is full. What we hold goes out as always. The next
 * session begins where this one stopped. */
void session_stop_taking(struct session *s);
bool session_is_taking(const struct session *s);

/* Say BYE (a word of proto/message.h or an error's name) and close. */
void session_close(struct session *s, const char *name, const char *text);

/* The connection is gone: says why, in the session's words. */
void session_lost(struct session *s, const char *reason);

/* How it ended; valid in SESSION_CLOSED. */
struct session_end {
	enum err code; /* OK: for a harmless reason */
	bool by_peer;  /* the peer said so */
	bool flush;    /* the last words are in session_outgoing() */
	bool is_self;  /* we reached ourselves */
	char name[REASON_NAME_MAX + 1];
	char text[REASON_TEXT_MAX + 1];
};

const struct session_end *session_end(const struct session *s);

enum session_state session_state(const struct session *s);
/* NULL before it is known as a member's. */
const uint8_t *session_remote_key(const struct session *s);
int64_t session_skew_ms(const struct session *s);
/* "" or a warning for people: feeds that wait. */
const char *session_warning(const struct session *s);

/* Both sides have compared everything, and neither lacks anything. */
bool session_is_in_sync(const struct session *s);
/* Changesets that the peer is known to lack. */
uint64_t session_to_send(const struct session *s);

/* Hand over what is known of the peer, in place of *out; only session_free() may
 * follow. */
struct space_table;
void session_take_spaces(struct session *s, struct space_table *out);

/* What happened since the last call, for the owner to act upon. */
struct session_news {
	unsigned changed_spaces; /* that hold more: none, one (`space`), 2 = several */
	struct space_id space;
	bool has_new_trust; /* statements were taken */
	/* We hold less of a space than peers were told, or want what they were told to
	 * leave: everything is compared anew, over new connections (BYE_RENEW). */
	bool must_renew;
	uint64_t sent, received; /* changesets */
};

struct session_news session_take_news(struct session *s);

void session_check(const struct session *s);

#endif
