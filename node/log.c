#include "node/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/utf8.h"

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"
};

void log_init(struct log *log, int fd)
{
	*log = (struct log){ .fd = fd, .level = LOG_INFO };
}

static void append_time(struct buf *out, uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "%s.%03uZ", text, (unsigned)(wall_ms % 1000));
}

/* The bytes of the next character if it may stand as it is, else 0. */
static size_t harmless_bytes(struct bytes text)
{
	struct bytes rest = text;
	uint32_t cp;

	if (!utf8_next(&rest, &cp) || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == '"' ||
	    cp == '\\')
		return 0;
	return text.size - rest.size;
}

static void append_quoted(struct buf *out, const char *text)
{
	struct bytes rest = bytes_of_str(text);

	buf_append_byte(out, '"');
	while (rest.size) {
		size_t size = harmless_bytes(rest);

		if (size) {
			buf_append(out, rest.data, size);
		} else if (*rest.data == '"' || *rest.data == '\\') {
			buf_printf(out, "\\%c", *rest.data);
			size = 1;
		} else {
			buf_printf(out, "\\x%02x", *rest.data);
			size = 1;
		}
		rest = bytes_of(rest.data + size, rest.size - size);
	}
	buf_append_byte(out, '"');
}

/* A code or an address stands without quotes. */
static bool is_plain(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-_.:[]*%")] == '\0';
}

void log_format(struct buf *out, uint64_t wall_ms, enum log_level level, const char *event,
		const char *peer, const char *detail, uint64_t suppressed)
{
	append_time(out, wall_ms);
	buf_printf(out, " %s %s", level_names[level], event);
	if (*peer) {
		buf_append_str(out, " peer=");
		if (is_plain(peer))
			buf_append_str(out, peer);
		else
			append_quoted(out, peer);
	}
	if (*detail) {
		buf_append_str(out, " detail=");
		append_quoted(out, detail);
	}
	if (suppressed)
		buf_printf(out, " suppressed=%" PRIu64, suppressed);
	buf_append_byte(out, '\n');
}

/* Two connections of one machine differ in their port. */
static int host_size(const char *peer)
{
	const char *colon = strrchr(peer, ':');

	return colon ? (int)(colon - peer) : (int)strlen(peer);
}

static struct log_source *source_of(struct log *log, uint64_t mono_ms, const char *event,
				    const char *peer)
{
	struct log_source *oldest = log->sources;
	char name[LOG_SOURCE_BYTES];

	snprintf(name, sizeof(name), "%s %.*s", event, host_size(peer), peer);
	for (size_t i = 0; i < LOG_SOURCES_MAX; i++) {
		struct log_source *s = &log->sources[i];

		if (strcmp(s->name, name) == 0)
			return s;
		if (s->heard_ms < oldest->heard_ms)
			oldest = s;
	}
	*oldest = (struct log_source){ .window_ms = mono_ms };
	memcpy(oldest->name, name, sizeof(name));
	return oldest;
}

/* Whether the line goes out; *suppressed: how many before it did not. */
static bool admit(struct log *log, uint64_t mono_ms, const char *event, const char *peer,
		  uint64_t *suppressed)
{
	struct log_source *s = source_of(log, mono_ms, event, peer);

	s->heard_ms = mono_ms;
	if (mono_ms - s->window_ms >= LOG_WINDOW_MS) {
		s->window_ms = mono_ms;
		s->count = 0;
	}
	if (s->count == LOG_BURST) {
		s->suppressed++;
		return false;
	}
	s->count++;
	*suppressed = s->suppressed;
	s->suppressed = 0;
	return true;
}

void log_write(struct log *log, struct now now, enum log_level level, const char *event,
	       const char *peer, const char *detail)
{
	struct buf line = BUF_EMPTY;
	uint64_t suppressed = 0;

	if (level < log->level)
		return;
	if (level > LOG_DEBUG && !admit(log, now.mono_ms, event, peer, &suppressed))
		return;
	log_format(&line, now.wall_ms, level, event, peer, detail, suppressed);
	if (buf_check(&line) == OK) {
		/* One call a line: lines of several writers don't mix. */
		ssize_t ignored = write(log->fd, line.data, line.size);

		(void)ignored;
	}
	buf_release(&line);
}
