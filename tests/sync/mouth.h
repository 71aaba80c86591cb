/* What a hostile member says, over one connection at a time. Include it after cmocka.h. */
#ifndef HT_TESTS_SYNC_MOUTH_H
#define HT_TESTS_SYNC_MOUTH_H

#include "proto/message.h"
#include "sync/link.h"
#include "tests/sync/world.h"

struct mouth {
	struct port port;
	struct conn_id conn;
	struct noise_keypair key;
	struct dice dice;
	struct link link;
	const uint8_t *org;
	struct message_tell tell; /* the answer to every question, if there is one */
	bool has_tell;
	unsigned asked_count;
	bool is_open, is_closed;
};

static inline void mouth_flush(struct mouth *m)
{
	if (m->link.out.size && !m->is_closed)
		m->port.send(m->port.ctx, m->conn, buf_bytes(&m->link.out));
	buf_clear(&m->link.out);
}

static inline void mouth_queue(struct mouth *m, const struct message *message)
{
	struct buf encoded = BUF_EMPTY;

	message_encode(&encoded, message);
	OFFICE_MUST(link_send(&m->link, buf_bytes(&encoded)));
	buf_release(&encoded);
}

static inline void mouth_connected(void *ctx, struct conn_id conn)
{
	struct mouth *m = ctx;

	m->conn = conn;
	OFFICE_MUST(link_init(&m->link, &(struct link_config){ .is_dialler = true,
							       .org = m->org,
							       .static_key = &m->key,
							       .dice = &m->dice,
							       .purpose = PREAMBLE_SYNC }));
	m->is_open = true;
	mouth_flush(m);
}

static inline void mouth_hears(struct mouth *m, struct bytes heard)
{
	struct message answer = { .type = MESSAGE_TELL };
	enum message_type type;

	if (message_peek(heard, &type) != OK || type != MESSAGE_ASK)
		return;
	m->asked_count++;
	answer.u.tell = m->tell;
	if (m->has_tell)
		mouth_queue(m, &answer);
}

static inline void mouth_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct mouth *m = ctx;
	enum link_event event = LINK_NEEDS_INPUT;
	struct bytes heard;

	do {
		OFFICE_MUST(link_read(&m->link, &data, &event, &heard, &msg));
		if (event == LINK_KEY)
			OFFICE_MUST(link_accept(&m->link));
		if (event == LINK_MESSAGE)
			mouth_hears(m, heard);
	} while (event != LINK_NEEDS_INPUT && event != LINK_END);
	mouth_flush(m);
}

static inline void mouth_sent(void *ctx, struct conn_id conn, size_t bytes)
{
}

static inline void mouth_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct mouth *m = ctx;

	m->is_closed = true;
}

static inline void mouth_init(struct mouth *m, struct site *of)
{
	*m = (struct mouth){ .org = replica_org(of->office.replica), .dice = prng_dice(&of->dice) };
	noise_keypair_from_secret(&m->key, of->noise_secret);
	m->port = loopnet_port(
		of->world->net,
		loopnet_add(of->world->net,
			    &(struct loopnet_events){ m, NULL, mouth_connected, mouth_received,
						      mouth_sent, mouth_closed }));
}

static inline void mouth_shut(struct mouth *m)
{
	if (m->is_open && !m->is_closed)
		m->port.close(m->port.ctx, m->conn, true);
	if (m->is_open)
		link_release(&m->link);
	m->is_open = m->is_closed = false;
}

#endif
