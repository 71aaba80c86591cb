/* What the session's own files share. */
#ifndef HT_SYNC_SESSION_IMPL_H
#define HT_SYNC_SESSION_IMPL_H

#include "proto/message.h"
#include "sync/link.h"
#include "sync/session.h"
#include "sync/space_table.h"
#include "sync/ticket.h"

/* One CHANGES that the peer has not acknowledged. */
struct chunk {
	struct space_id space;
	size_t bytes;
};

struct session {
	struct session_config config;
	uint8_t expected_key[NOISE_KEY_BYTES]; /* config.expected_key points here or is NULL */
	enum session_state state;
	struct link link;
	struct session_end end;
	struct session_news news;
	char warning[ERRMSG_BYTES_MAX];
	int64_t skew_ms;
	struct ticket_stub stub; /* in SESSION_ENROL */

	struct space_table spaces;
	/* Of our directory's vector when the spaces were announced last. */
	uint8_t announced_digest[VV_DIGEST_BYTES];
	bool has_announced;
	uint64_t round_asked, round_answered;

	bool takes_nothing; /* session_stop_taking() */

	struct chunk chunks[WINDOW_COUNT]; /* a ring, oldest first */
	size_t chunk_first, chunk_count, chunk_bytes;

	/* mono_ms */
	uint64_t began_ms, sent_ms, received_ms, compare_ms;
};

/* session_trust.c: who the peer is, and what it may see. */

/* A member; or, for a newcomer, whoever let it in. */
bool session_is_trusted(const struct session *s);
/* The key that the handshake has proved is one to talk to. ERR_HANDSHAKE; notes
 * in the session's end that it is our own. */
MUST_CHECK enum err session_check_key(struct session *s, struct errmsg *msg);

/* Who of the two takes part in what; valid until the replica changes. */
struct parts {
	const struct member *peer; /* NULL: not a member (yet) */
	const struct member *self;
};

struct parts session_parts(const struct session *s);
/* The directory is everybody's; other spaces are for those who take part. */
bool session_shares(const struct session *s, const struct parts *parts,
		    const struct space_id *space);
/* The same of a space that the peer names. If not: OK with *shared false when the
 * peer may not know that yet, else ERR_GRANT. */
MUST_CHECK enum err session_check_shared(const struct session *s, const struct space_id *space,
					 bool *shared, struct errmsg *msg);

struct space_sync *session_directory(const struct session *s);

/* Queue a message for the peer. */
MUST_CHECK enum err session_say(struct session *s, struct now now, const struct message *m);

/* ERR_LIMIT once more than OUTGOING_BYTES_MAX wait to be sent. */
MUST_CHECK enum err session_check_outgoing(const struct session *s, struct errmsg *msg);

/* Close because of an error of ours or the peer's; the peer is told. */
void session_fail(struct session *s, enum err rc, const struct errmsg *msg);

/* Handlers of one message each: session_compare.c */
MUST_CHECK enum err session_on_digests(struct session *s, struct now now, const struct message *m,
				       struct errmsg *msg);
MUST_CHECK enum err session_on_have(struct session *s, struct now now, const struct message *m,
				    struct errmsg *msg);
/* session_stream.c */
MUST_CHECK enum err session_on_changes(struct session *s, struct now now, const struct message *m,
				       struct errmsg *msg);
MUST_CHECK enum err session_on_held(struct session *s, struct now now, const struct message *m,
				    struct errmsg *msg);

/* Begin comparing: the directory first. */
MUST_CHECK enum err session_announce_directory(struct session *s, struct now now);
/* The other spaces, once the peer holds our directory; new ones as they appear. */
MUST_CHECK enum err session_announce(struct session *s, struct now now);

/* Something of the space may be missing there. */
void session_look(struct session *s, struct space_sync *sp);
/* The chunk sent first was acknowledged. ERR_PROTOCOL: there is none. */
MUST_CHECK enum err session_chunk_done(struct session *s, struct space_sync *sp,
				       struct errmsg *msg);

#endif
