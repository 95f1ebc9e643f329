/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers in texts. */
#define _GNU_SOURCE /* strtod_l */
#include "nono_text.h"

#include <locale.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

double nono_sys_parse_double(const char *text) {
    /* A constant object in every libc: nothing is allocated, and it cannot fail. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = strtod_l(text, NULL, c);
    freelocale(c);
    return value;
}
