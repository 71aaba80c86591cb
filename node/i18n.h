/* Text for people goes through gettext (see core/i18n.h). */
#ifndef HT_NODE_I18N_H
#define HT_NODE_I18N_H

#include <libintl.h>

#include "core/i18n.h"

#define _(text) gettext(text)

/* By number: P_("%d day", "%d days", n). */
#define P_(one, many, count) ngettext(one, many, (unsigned long)(count))

/* Choose the language of the user's environment. The catalogs are found by where the program is:
 * in locale/ beside it, or in ../share/locale. */
void i18n_init(void);

/* English from now on: for what is searched, and sent to others, whoever reads it. */
void i18n_speak_english(void);

#endif
