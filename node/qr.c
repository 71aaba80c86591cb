#include "node/qr.h"

#include <errno.h>
#include <qrencode.h>

#include "node/i18n.h"
#include "node/sys_error.h"

enum { QUIET_MODULES = 4 };

#define COLOURS "\x1b[40;97m" /* bright blocks on black */
#define PLAIN   "\x1b[0m"

static bool is_light(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return true;
	return !(code->data[y * code->width + x] & 1);
}

/* One line: the rows y and y + 1. */
static void render_line(struct buf *out, const QRcode *code, int y)
{
	static const char *const blocks[2][2] = { { " ", "▄" }, { "▀", "█" } };

	for (int x = -QUIET_MODULES; x < code->width + QUIET_MODULES; x++)
		buf_append_str(out, blocks[is_light(code, x, y)][is_light(code, x, y + 1)]);
}

enum err qr_render(struct buf *out, const char *text, bool with_colours, struct errmsg *msg)
{
	/* A screen does not wear off: the least redundancy gives the smallest code. */
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (!code && errno == ERANGE)
		return errmsg_set(msg, ERR_LIMIT, _("the text is too long for a QR code"));
	if (!code)
		return no_memory(msg);
	for (int y = -QUIET_MODULES; y < code->width + QUIET_MODULES; y += 2) {
		buf_append_str(out, with_colours ? COLOURS : "");
		render_line(out, code, y);
		buf_append_str(out, with_colours ? PLAIN "\n" : "\n");
	}
	QRcode_free(code);
	return buf_check(out) == OK ? OK : no_memory(msg);
}
