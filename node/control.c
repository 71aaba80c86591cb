#include "node/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/sys_error.h"

static const struct {
	const char *name;
	int wait_ms; /* for the reply */
} verbs[CONTROL_VERB_COUNT] = {
	[CONTROL_NUDGE] = { "nudge", 0 },
	[CONTROL_STATUS] = { "status", CONTROL_LOOK_MS },
	[CONTROL_PEERS] = { "peers", CONTROL_LOOK_MS },
	[CONTROL_SYNC_NOW] = { "sync-now", CONTROL_TIMEOUT_MS },
	[CONTROL_PAUSE] = { "pause", CONTROL_TIMEOUT_MS },
	[CONTROL_RESUME] = { "resume", CONTROL_TIMEOUT_MS },
};

const char *control_verb_name(enum control_verb verb)
{
	return verbs[verb].name;
}

/* ---- The bytes ----------------------------------------------------------- */

enum err control_request_parse(struct bytes line, enum control_verb *out, struct errmsg *msg)
{
	json_t *request =
		json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(request, "do"));
	enum err rc = OK;
	int verb = 0;

	if (!name) {
		rc = errmsg_set(msg, ERR_FORMAT, "not a request: {\"do\":\"status\"} is one");
		goto out;
	}
	while (verb < CONTROL_VERB_COUNT && strcmp(verbs[verb].name, name) != 0)
		verb++;
	if (verb == CONTROL_VERB_COUNT)
		rc = errmsg_set(msg, ERR_INVALID, "unknown request \"%.64s\"", name);
	else
		*out = (enum control_verb)verb;
out:
	json_decref(request);
	return rc;
}

static void append_line(struct buf *out, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (text)
		buf_append_str(out, text);
	else
		out->failed = true;
	buf_append_byte(out, '\n');
	free(text);
	json_decref(object);
}

void control_refusal_encode(struct buf *out, const struct errmsg *why)
{
	/* Replaced where a path in the message is not UTF-8. */
	json_t *reply = json_pack("{s:b, s:s, s:s}", "ok", 0, "error", err_name(why->code),
				  "message", why->text);

	if (!reply)
		reply = json_pack("{s:b, s:s, s:s}", "ok", 0, "error", err_name(why->code),
				  "message", "");
	append_line(out, reply);
}

void control_reply_encode(struct buf *out, json_t *reply)
{
	if (reply && json_object_set_new(reply, "ok", json_true()) != 0) {
		json_decref(reply);
		reply = NULL;
	}
	append_line(out, reply);
}

/* ---- The socket ---------------------------------------------------------- */

enum err control_address(const char *folder, struct sockaddr_un *out, int *folder_fd,
			 struct errmsg *msg)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t room = sizeof(address.sun_path);
	int size = snprintf(address.sun_path, room, "%s/" CONTROL_SOCKET_NAME, folder);
	int fd = -1;

	if (size < 0 || (size_t)size >= room) {
		fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return sys_error(folder, msg);
		snprintf(address.sun_path, room, "/proc/self/fd/%d/" CONTROL_SOCKET_NAME, fd);
	}
	*out = address;
	*folder_fd = fd;
	return OK;
}

static enum err connect_to(const char *folder, int flags, int *out, struct errmsg *msg)
{
	struct sockaddr_un address;
	int folder_fd = -1;
	enum err rc = control_address(folder, &address, &folder_fd, msg);
	int fd = -1;

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0) {
		rc = sys_error("socket", msg);
	} else if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		/* ECONNREFUSED: what a daemon that was killed left behind. */
		if (errno == ENOENT || errno == ECONNREFUSED)
			rc = errmsg_set(msg, ERR_NOT_FOUND,
					_("no daemon is running for %s: start it with `huitong "
					  "serve`"),
					folder);
		else
			rc = sys_error(folder, msg);
		close(fd);
	} else {
		*out = fd;
	}
	if (folder_fd >= 0)
		close(folder_fd);
	return rc;
}

static bool send_request(int fd, enum control_verb verb)
{
	char line[64];
	int size = snprintf(line, sizeof(line), "{\"do\":\"%s\"}\n", verbs[verb].name);

	/* A request fits into any socket's buffer: it goes whole or not at all. */
	return send(fd, line, (size_t)size, MSG_NOSIGNAL) == size;
}

void control_nudge(const char *folder)
{
	int fd;

	if (connect_to(folder, SOCK_NONBLOCK, &fd, NULL) != OK)
		return;
	send_request(fd, CONTROL_NUDGE);
	close(fd);
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Everything up to the daemon's close. */
static enum err receive_reply(int fd, int wait_ms, struct buf *reply, struct errmsg *msg)
{
	int64_t end_ms = monotonic_ms() + wait_ms;
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left_ms = end_ms - monotonic_ms();
		char piece[4096];
		ssize_t size;

		if (left_ms <= 0 || poll(&poller, 1, (int)left_ms) == 0)
			return errmsg_set(msg, ERR_BUSY, _("the daemon did not answer within %d s"),
					  wait_ms / 1000);
		size = recv(fd, piece, sizeof(piece), 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return sys_error(CONTROL_SOCKET_NAME, msg);
		if (size == 0)
			return OK;
		if (reply->size + (size_t)size > CONTROL_REPLY_BYTES_MAX)
			return errmsg_set(msg, ERR_LIMIT, _("the daemon's reply is over %d bytes"),
					  CONTROL_REPLY_BYTES_MAX);
		buf_append(reply, piece, (size_t)size);
	}
}

/* Takes the reference on success only. */
static enum err check_reply(json_t *reply, struct errmsg *msg)
{
	const json_t *ok = json_object_get(reply, "ok");
	const char *error = json_string_value(json_object_get(reply, "error"));
	const char *text = json_string_value(json_object_get(reply, "message"));

	if (json_is_true(ok))
		return OK;
	if (json_is_false(ok) && error && text)
		return errmsg_set(msg, err_from_name(error), "%s", text);
	return errmsg_set(msg, ERR_FORMAT, _("the daemon's reply can't be understood"));
}

enum err control_ask(const char *folder, enum control_verb verb, json_t **reply, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	json_t *object = NULL;
	int fd = -1;
	enum err rc = connect_to(folder, 0, &fd, msg);

	if (rc)
		return rc;
	if (!send_request(fd, verb))
		rc = sys_error(CONTROL_SOCKET_NAME, msg);
	if (rc == OK)
		rc = receive_reply(fd, verbs[verb].wait_ms, &text, msg);
	if (rc == OK)
		rc = buf_check(&text);
	if (rc)
		goto out;
	object = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
	rc = check_reply(object, msg);
	if (rc)
		goto out;
	*reply = object;
	object = NULL;
out:
	json_decref(object);
	buf_release(&text);
	close(fd);
	return rc;
}
