"""The levels that PostgreSQL and Java write in the language of their host, and what a code of SQL says of a line.

Source: PostgreSQL's src/backend/po, and `java.util.logging.Level` in the JDK's resource bundles.
"""

import re

from tasks.model.logs.findings import Severity
from tasks.rules.logs.level_words import WORDS

_ERROR = (
    "FEHLER", "ERREUR", "ERRORE", "ERRO", "ОШИБКА", "ПОМИЛКА", "BŁĄD", "HATA", "FEL", "CHYBA", "エラー", "错误",
    "錯誤", "오류", "ΣΦΑΛΜΑ", "შეცდომა", "SCHWERWIEGEND", "GRAVE", "重大", "严重", "嚴重", "심각", "FOUT",
    "VIRHE", "HIBA", "LỖI",
)  # fmt: skip
_CRITICAL = (
    "FATALE", "FATALT", "FATALNÍ", "ВАЖНО", "ФАТАЛЬНО", "KATASTROFALNY", "ÖLÜMCÜL", "致命的エラー", "致命错误",
    "致命錯誤", "심각한 오류", "치명적오류", "ΚΡΙΣΙΜΟ", "PANIK", "PANIQUE", "PANICO", "PÁNICO", "PÂNICO",
    "ПАНИКА", "ПАНІКА", "PANİK", "PANIKA", "パニック", "比致命错误还过分的错误", "손상",
)  # fmt: skip
_WARNING = (
    "WARNUNG", "ATTENTION", "AVERTISSEMENT", "ADVERTENCIA", "ADVERTÊNCIA", "ATTENZIONE", "AVVERTENZA", "AVISO",
    "ПРЕДУПРЕЖДЕНИЕ", "ПОПЕРЕДЖЕННЯ", "OSTRZEŻENIE", "UYARI", "VARNING", "VAROVÁNÍ", "警告", "경고",
    "ΠΡΟΕΙΔΟΠΟΙΗΣΗ",
)  # fmt: skip
_INFO = (
    "HINWEIS", "NOTA", "ЗАМЕЧАНИЕ", "UWAGA", "NOTIS", "注意", "알림", "СООБЩЕНИЕ", "ЗАПИС", "DZIENNIK", "LOGG",
    "ログ", "日志", "日誌", "로그", "ИНФОРМАЦИЯ", "INFORMACJA", "INFORMATION", "INFORMACIÓN", "INFOS",
    "INFORMAZIONI", "BİLGİ", "信息", "情報", "정보", "DÉTAIL", "DETALLE", "DETTAGLI", "DETALHE", "ПОДРОБНОСТИ",
    "ДЕТАЛІ", "SZCZEGÓŁY", "AYRINTI", "DETALJ", "詳細", "详细信息", "詳細信息", "상세정보", "TIPP", "ASTUCE",
    "SUGERENCIA", "SUGGERIMENTO", "DICA", "ПОДСКАЗКА", "PODPOWIEDŹ", "İPUCU", "ヒント", "提示", "힌트",
    "ANWEISUNG", "INSTRUCTION", "SENTENCIA", "ISTRUZIONE", "COMANDO", "ОПЕРАТОР", "WYRAŻENIE", "İFADE", "SATS",
    "文", "语句", "명령 구문", "ZUSAMMENHANG", "KONTEXT", "CONTEXTE", "CONTEXTO", "CONTESTO", "КОНТЕКСТ",
    "KONTEKST", "コンテキスト", "上下文", "ANFRAGE", "REQUÊTE", "CONSULTA", "ЗАПРОС", "ZAPYTANIE",
    "EMPLACEMENT", "UBICACIÓN",
)  # fmt: skip
LEVELS: dict[str, Severity] = {
    **dict.fromkeys(_INFO, Severity.INFO),
    **dict.fromkeys(_WARNING, Severity.WARNING),
    **dict.fromkeys(_ERROR, Severity.ERROR),
    **dict.fromkeys(_CRITICAL, Severity.CRITICAL),
}
# What the engine looks for; a word that is an error in one language and a note in another would be found too often.
BAD_WORDS = (*_WARNING, *_ERROR, *_CRITICAL)
_WORD = re.compile(
    rf"(?:^|(?<=[\s\]>|,;-]))({'|'.join(sorted(map(re.escape, LEVELS), key=len, reverse=True))})(?=\s?[:\uff1a]|,|\")"
)
# `%e` in PostgreSQL's log_line_prefix, and its CSV; what begins with 00, 01 and 02 is no error.
_SQL_CODE = re.compile(
    r"(?:^|[\s\[,=])(?P<code>(?!00|01|02)[0-9A-Z]{2}[0-9]{2}[0-9A-Z])[\],: ]{1,3}(?P<word>[^\s:,]{1,40}):  ", re.ASCII
)


def foreign_level(head: str) -> tuple[Severity, int] | None:
    """Find a level in another language than English, with the offset behind it."""
    found = _WORD.search(head)
    if found:
        return LEVELS[found[1]], found.end()
    coded = _SQL_CODE.search(head) if ":  " in head else None
    return (Severity.ERROR, coded.end()) if coded and coded["word"].lower() not in WORDS else None
