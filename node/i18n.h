/* Text for people goes through gettext; the only file that includes libintl.h.
 *
 * A text is looked up where it is shown. N_() marks one that stands in a table and is shown
 * later, by _(). Translators see the literal, so it must be one: no text built from parts. */
#ifndef HT_NODE_I18N_H
#define HT_NODE_I18N_H

#include <libintl.h>

#define _(text)  gettext(text)
#define N_(text) (text)

/* By number: P_("%d day", "%d days", n). */
#define P_(one, many, count) ngettext(one, many, (unsigned long)(count))

#endif
