#include "tests/support/document.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#ifndef HUITONG_SOURCE_DIR
#define HUITONG_SOURCE_DIR "."
#endif

struct buf document_block(const char *name)
{
	char fence[64];
	FILE *file = fopen(HUITONG_SOURCE_DIR "/docs/PROTOCOL.md", "r");
	struct buf text = BUF_EMPTY;
	const char *start;
	char line[512];

	assert_non_null(file);
	snprintf(fence, sizeof(fence), "```%s\n", name);
	while (fgets(line, sizeof(line), file))
		buf_append_str(&text, line);
	fclose(file);
	buf_append_byte(&text, 0);
	start = strstr((const char *)text.data, fence);
	assert_non_null(start);
	start += strlen(fence) - 1; /* its newline stays: each label follows one */
	buf_consume(&text, (size_t)(start - (const char *)text.data));
	*strstr((char *)text.data, "```") = '\0';
	return text;
}

struct buf document_field(const struct buf *block, const char *name)
{
	char label[64], digits[4096];
	struct buf out = BUF_EMPTY;
	size_t count = 0;
	const char *at;

	snprintf(label, sizeof(label), "\n%s:", name);
	at = strstr((const char *)block->data, label);
	if (!at)
		fail_msg("the document has no line \"%s\"", name);
	for (at += strlen(label); *at && !(at[0] == '\n' && at[1] != ' '); at++)
		if (!isspace((unsigned char)*at) && count + 1 < sizeof(digits))
			digits[count++] = *at;
	digits[count] = '\0';
	assert_int_equal(hex_decode(buf_grow(&out, count / 2), count / 2, digits), OK);
	return out;
}

void document_assert(const struct buf *block, const char *name, struct buf *made)
{
	struct buf stated = document_field(block, name);

	if (!bytes_equal(buf_bytes(&stated), buf_bytes(made))) {
		char hex[4096];

		hex_encode(hex, buf_bytes(made));
		fail_msg("%s is now %s", name, hex);
	}
	buf_release(&stated);
	buf_clear(made);
}
