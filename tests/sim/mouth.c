#include "tests/sim/mouth.h"

#include <stdio.h>
#include <stdlib.h>

#include "sync/link.h"

struct mouth {
	struct mouth_config config;
	uint8_t org[ORG_ID_BYTES];
	struct noise_keypair key;
	struct conn_id conn;
	struct link link;
	struct buf messages[MOUTH_MESSAGES_MAX];
	bool is_dialled, is_linked;
};

static void *must(void *memory)
{
	if (!memory) {
		perror("mouth");
		abort();
	}
	return memory;
}

struct mouth *mouth_new(const struct mouth_config *config)
{
	struct mouth *m = must(calloc(1, sizeof(*m)));
	const struct port *port = &config->port;

	m->config = *config;
	memcpy(m->org, config->org, ORG_ID_BYTES);
	noise_keypair_from_secret(&m->key, config->noise_secret);
	for (size_t i = 0; i < config->message_count; i++)
		buf_append(&m->messages[i], config->messages[i].data, config->messages[i].size);
	m->is_dialled = port->dial(port->ctx, config->address, &m->conn, NULL) == OK;
	return m;
}

static void hang_up(struct mouth *m)
{
	if (m->is_dialled)
		m->config.port.close(m->config.port.ctx, m->conn, false);
	if (m->is_linked)
		link_release(&m->link);
	m->is_dialled = m->is_linked = false;
}

void mouth_free(struct mouth *m)
{
	if (!m)
		return;
	hang_up(m);
	for (size_t i = 0; i < m->config.message_count; i++)
		buf_release(&m->messages[i]);
	free(m);
}

static void flush(struct mouth *m)
{
	if (m->link.out.size)
		m->config.port.send(m->config.port.ctx, m->conn, buf_bytes(&m->link.out));
	buf_clear(&m->link.out);
}

static enum err speak(struct mouth *m)
{
	enum err rc = link_accept(&m->link);

	for (size_t i = 0; rc == OK && i < m->config.message_count; i++)
		rc = link_send(&m->link, buf_bytes(&m->messages[i]));
	return rc;
}

void mouth_connected(struct mouth *m, struct conn_id conn)
{
	struct link_config config = { .is_dialler = true,
				      .org = m->org,
				      .static_key = &m->key,
				      .dice = &m->config.dice,
				      .purpose = PREAMBLE_SYNC };

	if (!m->is_dialled || conn.id != m->conn.id)
		return;
	m->is_linked = link_init(&m->link, &config) == OK;
	if (m->is_linked)
		flush(m);
	else
		hang_up(m);
}

void mouth_received(struct mouth *m, struct conn_id conn, struct bytes data)
{
	enum link_event event = LINK_NEEDS_INPUT;
	struct bytes heard;
	enum err rc;

	if (!m->is_linked || conn.id != m->conn.id)
		return;
	do {
		rc = link_read(&m->link, &data, &event, &heard, NULL);
		if (rc == OK && event == LINK_KEY)
			rc = speak(m);
	} while (rc == OK && event != LINK_NEEDS_INPUT && event != LINK_END);
	if (rc == OK)
		flush(m);
	else
		hang_up(m);
}

void mouth_closed(struct mouth *m, struct conn_id conn)
{
	if (!m->is_dialled || conn.id != m->conn.id)
		return;
	m->is_dialled = false;
	hang_up(m);
}
