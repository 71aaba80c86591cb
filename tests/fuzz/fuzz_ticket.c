/* Tickets of any text: what is accepted encodes to a line that says the same. */
#include <stdlib.h>

#include "sync/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_EMPTY, line = BUF_EMPTY;
	struct ticket ticket, again;

	buf_append(&text, data, size);
	buf_append_byte(&text, 0);
	if (ticket_decode(&ticket, (const char *)text.data, NULL) == OK) {
		if (ticket_encode(&line, &ticket, NULL) != OK)
			abort();
		buf_append_byte(&line, 0);
		if (ticket_decode(&again, (const char *)line.data, NULL) != OK ||
		    memcmp(again.secret, ticket.secret, sizeof(again.secret)) != 0 ||
		    strcmp(again.office_code, ticket.office_code) != 0 ||
		    again.address_count != ticket.address_count)
			abort();
	}
	buf_release(&text);
	buf_release(&line);
	return 0;
}
