#include "node/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/sys_error.h"

#define MAGIC      "huitong-identity-1\nsign "
#define BETWEEN    "\nnoise "
#define SEED_BYTES crypto_sign_SEEDBYTES
#define HEX_CHARS  64

_Static_assert(SEED_BYTES * 2 == HEX_CHARS && NOISE_SECRET_BYTES * 2 == HEX_CHARS,
	       "both secrets are 32 bytes");

/* The file, byte for byte. */
struct key_file {
	char magic[sizeof(MAGIC) - 1];
	char sign[HEX_CHARS];
	char between[sizeof(BETWEEN) - 1];
	char noise[HEX_CHARS];
	char end;
};

static void derive(struct identity *id, const uint8_t seed[SEED_BYTES])
{
	crypto_sign_seed_keypair(id->sign_public, id->sign_secret, seed);
	crypto_scalarmult_base(id->noise_public, id->noise_secret);
}

void identity_generate(struct identity *out)
{
	uint8_t seed[SEED_BYTES];

	randombytes_buf(seed, sizeof(seed));
	randombytes_buf(out->noise_secret, sizeof(out->noise_secret));
	derive(out, seed);
	sodium_memzero(seed, sizeof(seed));
}

static void to_hex(char out[HEX_CHARS], const uint8_t secret[HEX_CHARS / 2])
{
	char text[HEX_CHARS + 1];

	sodium_bin2hex(text, sizeof(text), secret, HEX_CHARS / 2);
	memcpy(out, text, HEX_CHARS);
	sodium_memzero(text, sizeof(text));
}

static bool from_hex(uint8_t out[HEX_CHARS / 2], const char text[HEX_CHARS])
{
	size_t size;

	return sodium_hex2bin(out, HEX_CHARS / 2, text, HEX_CHARS, NULL, &size, NULL) == 0 &&
	       size == HEX_CHARS / 2;
}

static void encode(struct key_file *out, const struct identity *id)
{
	uint8_t seed[SEED_BYTES];

	crypto_sign_ed25519_sk_to_seed(seed, id->sign_secret);
	memcpy(out->magic, MAGIC, sizeof(out->magic));
	to_hex(out->sign, seed);
	memcpy(out->between, BETWEEN, sizeof(out->between));
	to_hex(out->noise, id->noise_secret);
	out->end = '\n';
	sodium_memzero(seed, sizeof(seed));
}

static bool decode(struct identity *out, const struct key_file *file)
{
	uint8_t seed[SEED_BYTES];
	bool is_whole = memcmp(file->magic, MAGIC, sizeof(file->magic)) == 0 &&
			memcmp(file->between, BETWEEN, sizeof(file->between)) == 0 &&
			from_hex(seed, file->sign) && from_hex(out->noise_secret, file->noise) &&
			file->end == '\n';

	if (is_whole)
		derive(out, seed);
	sodium_memzero(seed, sizeof(seed));
	return is_whole;
}

/* A new name is durable once its folder is. */
static bool sync_parent(const char *path)
{
	char copy[PATH_MAX];
	bool is_synced;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_synced = fsync(fd) == 0;
	close(fd);
	return is_synced;
}

static enum err write_whole(const struct identity *id, const char *path, struct errmsg *msg)
{
	struct key_file file;
	enum err rc = OK;
	int fd;

	if (unlink(path) != 0 && errno != ENOENT)
		return sys_error(path, msg);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return sys_error(path, msg);
	encode(&file, id);
	errno = ENOSPC; /* what a short write means */
	if (write(fd, &file, sizeof(file)) != sizeof(file) || fsync(fd) != 0)
		rc = sys_error(path, msg);
	sodium_memzero(&file, sizeof(file));
	close(fd);
	return rc;
}

/* Under its name it is whole, whenever we are killed: half a key would stand in the way
 * of the next try. */
enum err identity_save(const struct identity *id, const char *path, struct errmsg *msg)
{
	char part[PATH_MAX];
	enum err rc;

	snprintf(part, sizeof(part), "%s.part", path);
	rc = write_whole(id, part, msg);
	if (rc == OK && link(part, path) != 0)
		rc = sys_error(path, msg);
	unlink(part);
	return rc == OK && !sync_parent(path) ? sys_error(path, msg) : rc;
}

enum err identity_rename(const char *from, const char *to, struct errmsg *msg)
{
	if (rename(from, to) != 0)
		return sys_error(from, msg);
	return sync_parent(to) ? OK : sys_error(to, msg);
}

static enum err check_owner(int fd, const char *path, struct errmsg *msg)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return sys_error(path, msg);
	if (!S_ISREG(st.st_mode) || st.st_size != sizeof(struct key_file))
		return errmsg_set(msg, ERR_KEY, _("%s is not an identity file"), path);
	if (st.st_uid != geteuid())
		return errmsg_set(msg, ERR_KEY, _("%s belongs to another user"), path);
	if (st.st_mode & 077)
		return errmsg_set(msg, ERR_KEY,
				  _("%s can be read by others (mode %03o): chmod 600 it, if "
				    "nobody has read it"),
				  path, (unsigned)st.st_mode & 0777);
	return OK;
}

enum err identity_load(struct identity *out, const char *path, struct errmsg *msg)
{
	struct identity loaded = { 0 };
	struct key_file file = { 0 };
	enum err rc;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errmsg_set(msg, ERR_KEY, "%s: %s", path, strerror(errno));
	rc = check_owner(fd, path, msg);
	if (rc != OK)
		goto out;
	if (read(fd, &file, sizeof(file)) != sizeof(file)) {
		rc = errmsg_set(msg, ERR_IO, _("%s can't be read"), path);
		goto out;
	}
	if (!decode(&loaded, &file)) {
		rc = errmsg_set(msg, ERR_KEY, _("%s is not an identity file"), path);
		goto out;
	}
	*out = loaded;
out:
	identity_clear(&loaded);
	sodium_memzero(&file, sizeof(file));
	close(fd);
	return rc;
}

void identity_clear(struct identity *id)
{
	sodium_memzero(id, sizeof(*id));
}
