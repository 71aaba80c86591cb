/* What the session's own files share. */
#ifndef HT_SYNC_SESSION_IMPL_H
#define HT_SYNC_SESSION_IMPL_H

#include "core/damage.h"
#include "core/succession.h"
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

/* What the two know of each other's membership (session_membership.c). */
struct acquaintance {
	bool knows;              /* the peer's key is a current member's, in our eyes */
	bool is_vouched;         /* it will be by what the peer has, a member's former key says */
	struct succession shown; /* that says so */
	bool has_heard;          /* a TRUST of the peer */
	bool is_known;           /* by which it knows us */
	bool has_hello;          /* and what it says of itself: */
	struct replica_id replica;
	bool has_presented; /* all our statements, to one who does not know us */
	bool has_asked;     /* for those that we lack, by the ids of ours */
	bool has_answered;  /* the same question of the peer */
	bool awaits_end;    /* of its statements */
	uint8_t said_digest[STATEMENT_ID_BYTES];
	uint8_t heard_digest[STATEMENT_ID_BYTES];
	size_t presented_bytes; /* by one whom we don't know */
	/* Of our statements, in the order in which they came to us, the peer holds or
	 * was sent so many. */
	size_t offered;
	uint8_t judged_digest[STATEMENT_ID_BYTES]; /* of our set when it was looked at last */
	bool says_lack;   /* one of ours is damaged: the peer shall send what it has */
	bool is_settling; /* the peer may not have what was pushed: no PONG of this nonce yet */
	uint64_t settle_nonce;
};

/* A feed of which the peer seems to hold another branch than we do (session_fork.c). */
struct suspect {
	struct space_id space;
	struct replica_id replica;
	uint64_t same;    /* the branches are equal up to here */
	uint64_t differs; /* and not here */
	bool has_witness;
	struct witness witness; /* of the peer's changeset at `differs` */
	uint64_t since_ms;      /* mono */
};

enum { SUSPECTS_MAX = 16 }; /* at a time; the next comparison finds the others */

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

	struct acquaintance who;
	struct aside *aside; /* of the peer's statements; NULL before the first */

	struct space_table spaces;
	/* Of the directory space and of the statements when the spaces were announced last. */
	uint8_t announced_digest[VV_DIGEST_BYTES];
	uint8_t announced_trust[STATEMENT_ID_BYTES];
	bool has_announced;
	uint64_t round_asked, round_answered;

	bool takes_nothing; /* session_stop_taking() */

	struct chunk chunks[WINDOW_COUNT]; /* a ring, oldest first */
	size_t chunk_first, chunk_count, chunk_bytes;

	struct suspect suspects[SUSPECTS_MAX]; /* the first is the one asked about, if any is */
	size_t suspect_count;
	bool is_asking; /* one ASK waits for its TELL */
	bool asks_lost; /* for what is damaged here (session_mend.c), not about a suspect */
	struct space_id asked_space;
	struct dot asked;
	uint64_t lost[DAMAGE_MAX]; /* the serials of what was asked for, oldest first */
	size_t lost_count;

	/* mono_ms; patient_ms is when the wait for the peer's membership began */
	uint64_t began_ms, patient_ms, sent_ms, received_ms, compare_ms;
	uint64_t held_until_ms; /* wall: something held back can be taken then; 0: nothing waits */
	uint64_t held_look_ms;  /* mono: when to look whether that has come */
	uint64_t room_look_ms;  /* mono: when what found no room is tried again; 0: nothing is */
};

/* session_trust.c: who the peer is, and what it may see. */

/* The key that the handshake has proved may be talked to: it is a member's, or may
 * turn out to be. ERR_HANDSHAKE (our own, or not the one that was dialled),
 * ERR_REVOKED and ERR_SUPERSEDED, of the peer or of ourselves. */
MUST_CHECK enum err session_check_key(struct session *s, struct errmsg *msg);
/* Who is refused for what became of its membership is told so, and shown the statement
 * that says it: only by that it knows what to do. */
bool session_is_told(enum err rc);
/* The node of which the peer's key is or was; NULL: nobody's. */
const struct trust_node *session_former(const struct session *s);
/* Whether the peer's key is a current member's. ERR_REVOKED, ERR_SUPERSEDED. */
MUST_CHECK enum err session_judge(struct session *s, bool *is_member, struct errmsg *msg);
/* The peer says that it is this replica: its node's current epoch. ERR_SUPERSEDED,
 * ERR_REPLICA. */
MUST_CHECK enum err session_check_replica(const struct session *s, const struct replica_id *replica,
					  struct errmsg *msg);

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

/* session_membership.c: statements, before anything else and whenever there are new
 * ones. */

/* The channel is open: the first words. */
MUST_CHECK enum err session_meet(struct session *s, struct now now, struct errmsg *msg);
/* Our statements have changed since this was called last: the peer is judged anew and gets
 * what it lacks. Costs nothing if not. */
MUST_CHECK enum err session_note_trust(struct session *s, struct now now, struct errmsg *msg);
/* To one who is refused for what became of its membership: the statements that were held
 * when that was said, and nothing of what came later. */
MUST_CHECK enum err session_dismiss(struct session *s, struct now now, struct errmsg *msg);
/* All statements, to a newcomer. */
MUST_CHECK enum err session_present(struct session *s, struct now now, struct errmsg *msg);

/* session.c: both know each other, hold the same statements and said hello. ERR_SUPERSEDED,
 * ERR_REPLICA: the peer is not who it says. */
MUST_CHECK enum err session_open(struct session *s, struct now now, struct errmsg *msg);

/* session_time.c: when the dialler compares all spaces next. */
void session_plan_compare(struct session *s, struct now now);

/* session_fork.c: two branches of one feed. */

/* The peer's tips of a space, where we can compare them with our own. */
MUST_CHECK enum err session_check_tips(struct session *s, struct now now, struct space_sync *sp,
				       const struct tip *tips, size_t count, struct errmsg *msg);
/* The run continues what we hold. If not, its feed is not taken from this peer, until
 * it is known where the branches part. */
MUST_CHECK enum err session_check_run(struct session *s, struct now now, struct space_sync *sp,
				      const struct run *run, bool *fits, struct errmsg *msg);
/* One of these changesets is not the one that we hold: suspect all feeds of which we
 * hold as much. */
MUST_CHECK enum err session_suspect_overlaps(struct session *s, struct now now,
					     struct space_sync *sp, const struct sealed *list,
					     size_t count, struct errmsg *msg);
bool session_suspects(const struct session *s, const struct space_id *space,
		      const struct replica_id *replica);

/* session_mend.c: what is damaged here. */

/* Ask for the first that the peer may have and was not asked for, unless an answer is
 * awaited. */
MUST_CHECK enum err session_ask_lost(struct session *s, struct now now);
/* Put back what was told. */
MUST_CHECK enum err session_mend(struct session *s, const struct message_tell *t, bool *is_mended,
				 struct errmsg *msg);

/* Handlers of one message each: session_membership.c */
MUST_CHECK enum err session_on_trust(struct session *s, struct now now, const struct message *m,
				     struct errmsg *msg);
MUST_CHECK enum err session_on_statements(struct session *s, struct now now,
					  const struct message *m, struct errmsg *msg);
MUST_CHECK enum err session_on_hello(struct session *s, struct now now, const struct message *m,
				     struct errmsg *msg);
MUST_CHECK enum err session_on_pong(struct session *s, struct now now, const struct message *m,
				    struct errmsg *msg);
/* session_fork.c */
MUST_CHECK enum err session_on_ask(struct session *s, struct now now, const struct message *m,
				   struct errmsg *msg);
MUST_CHECK enum err session_on_tell(struct session *s, struct now now, const struct message *m,
				    struct errmsg *msg);
/* session_compare.c */
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
