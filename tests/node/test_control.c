/* node/control and node/control_server: a command asks, the daemon answers; who
 * is slow, silent or talks nonsense hurts nobody. The client runs in a thread.
 * ctest: labels=threads */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/control_server.h"
#include "tests/support/tempdir.h"

enum { HANG_TURNS = 3000, LARGE_ITEMS = 40000 };

struct world {
	char folder[4 * TEMPDIR_BYTES_MAX];
	char root[TEMPDIR_BYTES_MAX];
	struct control_server server;
	size_t asked[CONTROL_VERB_COUNT];
	uint64_t mono_ms; /* of the server */
};

static void on_answer(void *ctx, enum control_verb verb, struct buf *reply)
{
	struct world *w = ctx;
	struct errmsg why;
	json_t *list;

	w->asked[verb]++;
	switch (verb) {
	case CONTROL_STATUS: control_reply_encode(reply, json_pack("{s:i}", "port", 7420)); break;
	case CONTROL_PEERS: /* more than a socket's buffer holds */
		list = json_array();
		for (int i = 0; i < LARGE_ITEMS; i++)
			json_array_append_new(list, json_integer(1000000 + i));
		control_reply_encode(reply, json_pack("{s:o}", "peers", list));
		break;
	case CONTROL_PAUSE:
		errmsg_set(&why, ERR_BUSY, "not \"now\"");
		control_refusal_encode(reply, &why);
		break;
	default: control_reply_encode(reply, json_object());
	}
}

static struct world *world_in(const char *below)
{
	struct world *w = calloc(1, sizeof(*w));
	struct errmsg msg = { 0 };

	assert_non_null(w);
	tempdir_new(w->root, sizeof(w->root));
	tempdir_path(w->folder, sizeof(w->folder), w->root, below);
	mkdir(w->folder, 0700);
	if (control_server_open(&w->server, w->folder, &msg) != OK)
		fail_msg("%s", msg.text);
	w->mono_ms = 1000;
	return w;
}

static void world_free(struct world *w)
{
	control_server_close(&w->server);
	tempdir_remove(w->root);
	free(w);
}

static void serve_once(struct world *w, int wait_ms)
{
	const struct control_handler handler = { .ctx = w, .answer = on_answer };
	struct pollfd polls[CONTROL_POLLS_MAX];

	poll(polls, control_server_polls(&w->server, polls), wait_ms);
	control_server_turn(&w->server, w->mono_ms, &handler);
}

struct question {
	struct world *w;
	enum control_verb verb;
	enum err rc;
	json_t *reply;
	struct errmsg msg;
	bool is_over;
	pthread_mutex_t lock; /* of is_over */
};

static void *ask_in_thread(void *arg)
{
	struct question *q = arg;

	q->rc = control_ask(q->w->folder, q->verb, &q->reply, &q->msg);
	pthread_mutex_lock(&q->lock);
	q->is_over = true;
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static bool is_over(struct question *q)
{
	bool over;

	pthread_mutex_lock(&q->lock);
	over = q->is_over;
	pthread_mutex_unlock(&q->lock);
	return over;
}

static struct question ask(struct world *w, enum control_verb verb)
{
	struct question q = { .w = w, .verb = verb, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread;

	pthread_create(&thread, NULL, ask_in_thread, &q);
	while (!is_over(&q))
		serve_once(w, 10);
	pthread_join(thread, NULL);
	return q;
}

static void command_gets_its_answer(void **state)
{
	struct world *w = world_in("data");
	struct question q = ask(w, CONTROL_STATUS);

	assert_int_equal(q.rc, OK);
	assert_true(json_is_true(json_object_get(q.reply, "ok")));
	assert_int_equal(json_integer_value(json_object_get(q.reply, "port")), 7420);
	json_decref(q.reply);
	for (int verb = CONTROL_SYNC_NOW; verb < CONTROL_VERB_COUNT; verb++) {
		q = ask(w, (enum control_verb)verb);
		assert_int_equal(w->asked[verb], 1);
		if (verb == CONTROL_PAUSE) {
			assert_int_equal(q.rc, ERR_BUSY);
			assert_string_equal(q.msg.text, "not \"now\"");
			assert_null(q.reply);
		} else {
			assert_int_equal(q.rc, OK);
			json_decref(q.reply);
		}
	}
	world_free(w);
}

static void long_answer_arrives_whole(void **state)
{
	struct world *w = world_in("data");
	struct question q = ask(w, CONTROL_PEERS);
	json_t *list;

	assert_int_equal(q.rc, OK);
	list = json_object_get(q.reply, "peers");
	assert_int_equal(json_array_size(list), LARGE_ITEMS);
	assert_int_equal(json_integer_value(json_array_get(list, LARGE_ITEMS - 1)),
			 1000000 + LARGE_ITEMS - 1);
	json_decref(q.reply);
	world_free(w);
}

static void nudge_waits_for_nobody(void **state)
{
	struct world *w = world_in("data");

	for (int i = 0; i < 5; i++)
		control_nudge(w->folder);
	for (int i = 0; i < HANG_TURNS && w->asked[CONTROL_NUDGE] < 5; i++)
		serve_once(w, 10);
	assert_int_equal(w->asked[CONTROL_NUDGE], 5);
	assert_int_equal(control_server_deadline(&w->server), UINT64_MAX);
	world_free(w);
}

static void nobody_home_is_told(void **state)
{
	struct world *w = world_in("data");
	struct errmsg msg = { 0 };
	struct stat st;
	json_t *reply;
	char path[2048];

	tempdir_path(path, sizeof(path), w->folder, CONTROL_SOCKET_NAME);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	control_server_close(&w->server);
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(control_ask(w->folder, CONTROL_STATUS, &reply, &msg), ERR_NOT_FOUND);
	control_nudge(w->folder);
	control_nudge("/nonexistent/folder");

	/* What a killed daemon leaves: a socket that nobody listens on. */
	assert_int_equal(control_server_open(&w->server, w->folder, &msg), OK);
	close(w->server.fd);
	assert_int_equal(control_ask(w->folder, CONTROL_STATUS, &reply, &msg), ERR_NOT_FOUND);
	assert_int_equal(control_server_open(&w->server, w->folder, &msg), OK);
	world_free(w);
}

static void folder_with_a_long_path_works_too(void **state)
{
	char name[200], path[2048];
	struct stat st;
	struct world *w;
	struct question q;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	w = world_in(name);
	assert_int_equal(
		stat(tempdir_path(path, sizeof(path), w->folder, CONTROL_SOCKET_NAME), &st), 0);
	q = ask(w, CONTROL_STATUS);
	assert_int_equal(q.rc, OK);
	json_decref(q.reply);
	world_free(w);
}

static int raw_connect(const struct world *w)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), folder_fd;
	struct sockaddr_un to;

	assert_int_equal(control_address(w->folder, &to, &folder_fd, NULL), OK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	if (folder_fd >= 0)
		close(folder_fd);
	return fd;
}

/* What a client that sends `request` reads until the server closes. */
static void exchange(struct world *w, struct bytes request, char *out, size_t out_size)
{
	int fd = raw_connect(w);
	size_t size = 0;

	assert_int_equal(send(fd, request.data, request.size, MSG_NOSIGNAL), request.size);
	for (int i = 0; i < HANG_TURNS; i++) {
		ssize_t got;

		serve_once(w, 1);
		got = recv(fd, out + size, out_size - 1 - size, MSG_DONTWAIT);
		if (got == 0)
			break;
		if (got > 0)
			size += (size_t)got;
		assert_int_not_equal(i, HANG_TURNS - 1);
	}
	out[size] = '\0';
	close(fd);
}

static void nonsense_is_refused_by_name(void **state)
{
	static const struct {
		const char *request, *reply;
	} cases[] = {
		{ "hello\n", "{\"ok\":false,\"error\":\"format\"" },
		{ "\n", "{\"ok\":false,\"error\":\"format\"" },
		{ "[\"do\"]\n", "{\"ok\":false,\"error\":\"format\"" },
		{ "{\"do\":7}\n", "{\"ok\":false,\"error\":\"format\"" },
		{ "{\"do\":\"dance\"}\n", "{\"ok\":false,\"error\":\"invalid\"" },
		{ "{\"do\":\"status\",\"do\":\"pause\"}\n", "{\"ok\":false,\"error\":\"format\"" },
		{ "{\"do\":\"resume\"}\nrest", "{\"ok\":true}\n" },
	};
	struct world *w = world_in("data");
	struct buf flood = BUF_EMPTY;
	char reply[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		exchange(w, bytes_of_str(cases[i].request), reply, sizeof(reply));
		if (strncmp(reply, cases[i].reply, strlen(cases[i].reply)) != 0)
			fail_msg("%s -> %s", cases[i].request, reply);
	}
	assert_int_equal(w->asked[CONTROL_PAUSE], 0);
	memset(buf_grow(&flood, 3 * CONTROL_REQUEST_BYTES_MAX), 'x', 3 * CONTROL_REQUEST_BYTES_MAX);
	exchange(w, buf_bytes(&flood), reply, sizeof(reply));
	assert_non_null(strstr(reply, "\"error\":\"limit\""));
	buf_release(&flood);
	world_free(w);
}

static void silent_clients_make_room_at_their_deadline(void **state)
{
	struct world *w = world_in("data");
	int silent[CONTROL_CLIENTS_MAX];
	struct pollfd polls[CONTROL_POLLS_MAX];
	struct question q;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		silent[i] = raw_connect(w);
	serve_once(w, 10);
	assert_int_equal(control_server_polls(&w->server, polls), CONTROL_CLIENTS_MAX);
	assert_int_equal(control_server_deadline(&w->server), 1000 + CONTROL_TIMEOUT_MS);
	w->mono_ms += CONTROL_TIMEOUT_MS;
	q = ask(w, CONTROL_STATUS);
	assert_int_equal(q.rc, OK);
	json_decref(q.reply);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(silent[i]);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_gets_its_answer),
		cmocka_unit_test(long_answer_arrives_whole),
		cmocka_unit_test(nudge_waits_for_nobody),
		cmocka_unit_test(nobody_home_is_told),
		cmocka_unit_test(folder_with_a_long_path_works_too),
		cmocka_unit_test(nonsense_is_refused_by_name),
		cmocka_unit_test(silent_clients_make_room_at_their_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
