/* Requests to the daemon: any line is understood or refused, and what answers it
 * is one line of JSON. */
#include <stdlib.h>

#include "node/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum control_verb verb = CONTROL_VERB_COUNT;
	struct buf reply = BUF_EMPTY;
	struct errmsg msg;
	json_t *read_back;

	if (size > CONTROL_REQUEST_BYTES_MAX)
		return 0;
	if (control_request_parse(bytes_of(data, size), &verb, &msg) == OK) {
		if (verb >= CONTROL_VERB_COUNT)
			abort();
		control_reply_encode(&reply, json_object());
	} else {
		control_refusal_encode(&reply, &msg);
	}
	if (memchr(reply.data, '\n', reply.size) != reply.data + reply.size - 1)
		abort();
	read_back = json_loadb((const char *)reply.data, reply.size, 0, NULL);
	if (!read_back)
		abort();
	json_decref(read_back);
	buf_release(&reply);
	return 0;
}
