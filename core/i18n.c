#include "core/i18n.h"

#include <libintl.h>

const char *text_lookup(const char *text)
{
	return dgettext(TEXT_DOMAIN, text);
}
