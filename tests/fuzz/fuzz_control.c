/* Requests to the daemon: any line is understood or refused, and what answers it
 * is one line of JSON. */
#include "node/control.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum control_verb verb = CONTROL_VERB_COUNT;
	struct buf reply = BUF_EMPTY;
	struct errmsg msg;
	json_t *read_back;

	if (size > CONTROL_REQUEST_BYTES_MAX)
		return 0;
	if (control_request_parse(bytes_of(data, size), &verb, &msg) == OK) {
		require(verb < CONTROL_VERB_COUNT);
		control_reply_encode(&reply, json_object());
	} else {
		control_refusal_encode(&reply, &msg);
	}
	require(memchr(reply.data, '\n', reply.size) == reply.data + reply.size - 1);
	read_back = json_loadb((const char *)reply.data, reply.size, 0, NULL);
	require(read_back != NULL);
	json_decref(read_back);
	buf_release(&reply);
	return 0;
}
