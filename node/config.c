#include "node/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/duration.h"
#include "node/i18n.h"
#include "node/sys_error.h"
#include "sync/address.h"

enum { LINE_BYTES_MAX = 512 };

void config_init(struct config *c)
{
	*c = (struct config){ .dial = true,
			      .ballast_mib = CONFIG_BALLAST_MIB,
			      .low_water_mib = CONFIG_LOW_WATER_MIB,
			      .scrub_s = CONFIG_SCRUB_S,
			      .log_level = LOG_INFO };
}

void config_release(struct config *c)
{
	for (size_t i = 0; i < c->peer_count; i++)
		free(c->peers[i]);
	config_init(c);
}

/* ---- Keys ---------------------------------------------------------------- */

/* The index of a word in a list that NULL ends; -1: not in it. */
static int index_of(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

static enum err set_listen(struct config *c, const char *value, struct errmsg *msg)
{
	struct address ignored;
	enum err rc;

	if (strcmp(value, CONFIG_LISTEN_NONE) != 0) {
		rc = address_parse_listen(&ignored, value, msg);
		if (rc)
			return rc;
	}
	/* A host and a port that were accepted are shorter than this. */
	snprintf(c->listen, sizeof(c->listen), "%s", value);
	return OK;
}

static enum err set_peer(struct config *c, const char *value, struct errmsg *msg)
{
	struct address ignored;
	char *copy;
	enum err rc = address_parse(&ignored, value, msg);

	if (rc)
		return rc;
	if (c->peer_count == CONFIG_PEERS_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("more than %d peers"), CONFIG_PEERS_MAX);
	copy = strdup(value);
	if (!copy)
		return errmsg_set(msg, ERR_NOMEM, _("out of memory"));
	c->peers[c->peer_count++] = copy;
	return OK;
}

static enum err set_dial(struct config *c, const char *value, struct errmsg *msg)
{
	static const char *const words[] = { "no", "yes", NULL };
	int i = index_of(words, value);

	if (i < 0)
		return errmsg_set(msg, ERR_INVALID, _("\"%s\" is neither yes nor no"), value);
	c->dial = i == 1;
	return OK;
}

static enum err set_mib(unsigned *out, const char *value, struct errmsg *msg)
{
	unsigned long mib = strtoul(value, NULL, 10);

	if (!*value || value[strspn(value, "0123456789")] || mib > CONFIG_MIB_MAX)
		return errmsg_set(msg, ERR_INVALID, _("\"%s\" is no number of MiB up to %d"), value,
				  CONFIG_MIB_MAX);
	*out = (unsigned)mib;
	return OK;
}

static enum err set_ballast(struct config *c, const char *value, struct errmsg *msg)
{
	return set_mib(&c->ballast_mib, value, msg);
}

static enum err set_low_water(struct config *c, const char *value, struct errmsg *msg)
{
	return set_mib(&c->low_water_mib, value, msg);
}

static enum err set_scrub(struct config *c, const char *value, struct errmsg *msg)
{
	if (duration_parse(value, &c->scrub_s))
		return OK;
	return errmsg_set(msg, ERR_INVALID, _("\"%s\" is not like 12h or 7d, nor 0: never"), value);
}

static enum err set_log_level(struct config *c, const char *value, struct errmsg *msg)
{
	static const char *const words[] = { [LOG_DEBUG] = "debug",
					     [LOG_INFO] = "info",
					     [LOG_WARN] = "warn",
					     [LOG_ERROR] = "error",
					     NULL };
	int i = index_of(words, value);

	if (i < 0)
		return errmsg_set(msg, ERR_INVALID,
				  _("\"%s\" is no log level: debug, info, warn, error"), value);
	c->log_level = (enum log_level)i;
	return OK;
}

static const struct {
	const char *name;
	enum err (*set)(struct config *c, const char *value, struct errmsg *msg);
} keys[] = {
	{ "listen", set_listen },       { "peer", set_peer },           { "dial", set_dial },
	{ "ballast", set_ballast },     { "low-water", set_low_water }, { "scrub", set_scrub },
	{ "log-level", set_log_level },
};

enum err config_set(struct config *c, const char *key, const char *value, struct errmsg *msg)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].name, key) == 0)
			return keys[i].set(c, value, msg);
	return errmsg_set(msg, ERR_INVALID,
			  _("\"%s\" is no setting: listen, peer, dial, ballast, low-water, "
			    "scrub, log-level"),
			  key);
}

/* ---- Lines --------------------------------------------------------------- */

/* Cut the blanks from both ends, in place. */
static char *trimmed(char *text)
{
	size_t size;

	text += strspn(text, " \t\r");
	size = strlen(text);
	while (size && strchr(" \t\r", text[size - 1]))
		text[--size] = '\0';
	return text;
}

static enum err parse_line(struct config *c, struct bytes line, struct errmsg *msg)
{
	char text[LINE_BYTES_MAX + 1];
	char *key, *value;

	if (line.size > LINE_BYTES_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("the line is over %d bytes"), LINE_BYTES_MAX);
	if (memchr(line.data, '\0', line.size))
		return errmsg_set(msg, ERR_INVALID, _("a zero byte in a text"));
	memcpy(text, line.data, line.size);
	text[line.size] = '\0';
	key = trimmed(text);
	if (!*key || *key == '#')
		return OK;
	value = strchr(key, '=');
	if (!value)
		return errmsg_set(msg, ERR_INVALID, _("\"key = value\" is wanted"));
	*value++ = '\0';
	return config_set(c, trimmed(key), trimmed(value), msg);
}

static enum err parse_lines(struct config *c, struct bytes text, struct errmsg *msg)
{
	for (unsigned number = 1; text.size; number++) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;
		enum err rc = parse_line(c, bytes_of(text.data, size), msg);

		if (rc)
			return errmsg_prefix(msg, rc, _("line %u: "), number);
		size += end != NULL;
		text = bytes_of(text.data + size, text.size - size);
	}
	return OK;
}

enum err config_parse(struct config *c, struct bytes text, struct errmsg *msg)
{
	struct config before = *c;
	enum err rc = parse_lines(c, text, msg);

	if (rc) {
		for (size_t i = before.peer_count; i < c->peer_count; i++)
			free(c->peers[i]);
		*c = before;
	}
	return rc;
}

enum err config_load(struct config *c, const char *path, struct errmsg *msg)
{
	uint8_t *text = NULL;
	enum err rc = OK;
	ssize_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? OK : sys_error(path, msg);
	text = malloc(CONFIG_BYTES_MAX + 1);
	size = text ? read(fd, text, CONFIG_BYTES_MAX + 1) : 0;
	if (!text)
		rc = errmsg_set(msg, ERR_NOMEM, _("out of memory"));
	else if (size < 0)
		rc = sys_error(path, msg);
	else if (size > CONFIG_BYTES_MAX)
		rc = errmsg_set(msg, ERR_LIMIT, _("%s: over %d bytes"), path, CONFIG_BYTES_MAX);
	else if ((rc = config_parse(c, bytes_of(text, (size_t)size), msg)))
		errmsg_prefix(msg, rc, "%s, ", path);
	free(text);
	close(fd);
	return rc;
}
