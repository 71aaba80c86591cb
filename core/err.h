/* Errors: what the world can do to us. What only our own bug can do is an assert.
 *
 * Every fallible function returns enum err and leaves its out-parameters
 * untouched on failure. Code that meets the world also fills a caller-owned
 * struct errmsg with the path, peer or record concerned. */
#ifndef HT_CORE_ERR_H
#define HT_CORE_ERR_H

#include "core/attrs.h"

enum err {
	OK = 0,
	ERR_NOMEM,      /* an allocation failed */
	ERR_IO,         /* the operating system refused; errno or SQLite's text */
	ERR_FULL,       /* no space left on the device */
	ERR_READONLY,   /* the folder or the database can't be written */
	ERR_BUSY,       /* another process holds the lock */
	ERR_CORRUPT,    /* stored bytes contradict themselves */
	ERR_KEY,        /* the key file is missing or is not ours */
	ERR_CLOCK,      /* the wall clock is absurd (before 2020) */
	ERR_INVALID,    /* the caller's input is not acceptable */
	ERR_LIMIT,      /* over a documented limit; the message names it */
	ERR_NOT_FOUND,  /* no such record, space, peer, file */
	ERR_AMBIGUOUS,  /* a prefix that more than one record has */
	ERR_EXISTS,     /* it is already there */
	ERR_FORMAT,     /* bytes that are not the encoding they claim to be */
	ERR_VERSION,    /* a version that we don't speak */
	ERR_ORG,        /* another organisation */
	ERR_HANDSHAKE,  /* the peer failed to prove who it is */
	ERR_SIGNATURE,  /* a changeset's signature does not verify */
	ERR_CHAIN,      /* a changeset does not continue its feed */
	ERR_CAUSAL,     /* a changeset whose dependencies are not held */
	ERR_FORK,       /* two changesets with the same dot */
	ERR_FUTURE,     /* an HLC stamp too far ahead of our clock */
	ERR_GRANT,      /* a space that the peer has no part in */
	ERR_REPLICA,    /* a feed whose replica no statement names */
	ERR_AUTHORITY,  /* a statement that its signer may not make */
	ERR_REVOKED,    /* this node, or the peer's, is no longer a member */
	ERR_SUPERSEDED, /* the node goes on elsewhere: this copy must enrol anew */
	ERR_PROTOCOL,   /* a message that is not legal now */
	ERR_TIMEOUT,    /* a deadline passed */
	ERR_CLOSED,     /* the other side ended the conversation */
	ERR_COUNT
};

/* The error's lower-case name as used in logs and on the wire ("signature").
 * Never NULL. */
const char *err_name(enum err code);

/* The reverse of err_name(); ERR_PROTOCOL for a name that is unknown. */
enum err err_from_name(const char *name);

#define ERRMSG_BYTES_MAX 512

/* The last error in words, for people; `code` repeats what was returned. */
struct errmsg {
	enum err code;
	char text[ERRMSG_BYTES_MAX];
};

/* Record an error and return its code, so that a failure is one statement:
 *     return errmsg_set(msg, ERR_IO, "open %s: %s", path, strerror(errno));
 * msg may be NULL. A text that does not fit is cut. */
enum err errmsg_set(struct errmsg *msg, enum err code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put context in front of an existing text ("space X: ") and return its code. */
enum err errmsg_prefix(struct errmsg *msg, enum err code, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
