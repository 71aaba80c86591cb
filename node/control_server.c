#include "node/control_server.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/sys_error.h"

static enum err bind_to(int fd, const char *folder, struct errmsg *msg)
{
	struct sockaddr_un address;
	int folder_fd = -1;
	enum err rc = control_address(folder, &address, &folder_fd, msg);
	mode_t mask;

	if (rc)
		return rc;
	unlink(address.sun_path);
	/* The mask, because a chmod() afterwards would come a moment too late. */
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		rc = sys_error(address.sun_path, msg);
	umask(mask);
	if (folder_fd >= 0)
		close(folder_fd);
	return rc;
}

enum err control_server_open(struct control_server *s, const char *folder, struct errmsg *msg)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum err rc;

	if (fd < 0)
		return sys_error("socket", msg);
	rc = bind_to(fd, folder, msg);
	if (rc == OK && listen(fd, SOMAXCONN) != 0)
		rc = sys_error(CONTROL_SOCKET_NAME, msg);
	if (rc) {
		close(fd);
		return rc;
	}
	*s = (struct control_server){ .folder = folder, .fd = fd };
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		s->clients[i].fd = -1;
	return OK;
}

static void drop(struct control_client *c)
{
	close(c->fd);
	buf_release(&c->request);
	buf_release(&c->reply);
	*c = (struct control_client){ .fd = -1 };
}

void control_server_close(struct control_server *s)
{
	struct sockaddr_un address;
	int folder_fd = -1;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			drop(&s->clients[i]);
	close(s->fd);
	if (control_address(s->folder, &address, &folder_fd, NULL) == OK)
		unlink(address.sun_path);
	if (folder_fd >= 0)
		close(folder_fd);
}

size_t control_server_polls(const struct control_server *s, struct pollfd out[CONTROL_POLLS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			out[count++] =
				(struct pollfd){ .fd = s->clients[i].fd,
						 .events = s->clients[i].reply.size ? POLLOUT
										    : POLLIN };
	if (count < CONTROL_CLIENTS_MAX)
		out[count++] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	return count;
}

uint64_t control_server_deadline(const struct control_server *s)
{
	uint64_t first_ms = UINT64_MAX;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].deadline_ms < first_ms)
			first_ms = s->clients[i].deadline_ms;
	return first_ms;
}

static void accept_all(struct control_server *s, uint64_t mono_ms)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct control_client *c = &s->clients[i];

		if (c->fd >= 0)
			continue;
		c->fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (c->fd < 0) {
			c->fd = -1;
			return;
		}
		c->deadline_ms = mono_ms + CONTROL_TIMEOUT_MS;
	}
}

static void answer(struct control_client *c, struct bytes line,
		   const struct control_handler *handler)
{
	enum control_verb verb;
	struct errmsg why;

	if (control_request_parse(line, &verb, &why) != OK)
		control_refusal_encode(&c->reply, &why);
	else
		handler->answer(handler->ctx, verb, &c->reply);
}

static bool is_retry(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* False: the client is done with. */
static bool read_request(struct control_client *c, const struct control_handler *handler)
{
	char piece[CONTROL_REQUEST_BYTES_MAX];
	ssize_t size = recv(c->fd, piece, sizeof(piece), 0);
	const uint8_t *end;
	struct errmsg why;

	if (size <= 0)
		return size < 0 && is_retry();
	buf_append(&c->request, piece, (size_t)size);
	end = c->request.failed ? NULL : memchr(c->request.data, '\n', c->request.size);
	if (end) {
		answer(c, bytes_of(c->request.data, (size_t)(end - c->request.data)), handler);
	} else if (c->request.size > CONTROL_REQUEST_BYTES_MAX) {
		errmsg_set(&why, ERR_LIMIT, "a request is over %d bytes",
			   CONTROL_REQUEST_BYTES_MAX);
		control_refusal_encode(&c->reply, &why);
	}
	return buf_check(&c->request) == OK && buf_check(&c->reply) == OK;
}

static bool write_reply(struct control_client *c)
{
	ssize_t size =
		send(c->fd, c->reply.data + c->replied, c->reply.size - c->replied, MSG_NOSIGNAL);

	if (size < 0)
		return is_retry();
	c->replied += (size_t)size;
	return c->replied < c->reply.size;
}

void control_server_turn(struct control_server *s, uint64_t mono_ms,
			 const struct control_handler *handler)
{
	accept_all(s, mono_ms);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct control_client *c = &s->clients[i];
		bool goes_on = c->fd >= 0 && mono_ms < c->deadline_ms;

		if (c->fd < 0)
			continue;
		if (goes_on && c->reply.size == 0)
			goes_on = read_request(c, handler);
		if (goes_on && c->reply.size > 0)
			goes_on = write_reply(c);
		if (!goes_on)
			drop(c);
	}
}
