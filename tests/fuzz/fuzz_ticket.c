/* Tickets of any text: what is accepted encodes to a line that says the same. */
#include "sync/ticket.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_EMPTY, line = BUF_EMPTY;
	struct ticket ticket, again;

	buf_append(&text, data, size);
	buf_append_byte(&text, 0);
	if (ticket_decode(&ticket, (const char *)text.data, NULL) == OK) {
		require(ticket_encode(&line, &ticket, NULL) == OK);
		buf_append_byte(&line, 0);
		require(ticket_decode(&again, (const char *)line.data, NULL) == OK);
		require(memcmp(again.secret, ticket.secret, sizeof(again.secret)) == 0);
		require(strcmp(again.office_code, ticket.office_code) == 0);
		require(again.address_count == ticket.address_count);
	}
	buf_release(&text);
	buf_release(&line);
	return 0;
}
