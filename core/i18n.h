/* Text for people. A text is looked up where it is put together: in the language of the reader,
 * if the process has chosen one (node/main.c); otherwise it stays as it stands, in English.
 *
 * N_() marks one that stands in a table and is looked up later. Translators see the literal,
 * so it must be one. The formats of errmsg_set() need no mark. */
#ifndef HT_CORE_I18N_H
#define HT_CORE_I18N_H

#define N_(text) (text)

#define TEXT_DOMAIN "huitong" /* the catalogs' name */

const char *text_lookup(const char *text) __attribute__((format_arg(1)));

#endif
