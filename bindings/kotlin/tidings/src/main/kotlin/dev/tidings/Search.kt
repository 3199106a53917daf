package dev.tidings

/** Which hits come first. */
public enum class SearchOrder {
    /** The newest. */
    NEWEST,

    /** The best among the newest few thousand, then the older ones, newest first. */
    BEST,
}

/** A part of a message's text that shows why it was found; [marks] are the found words in it. */
public data class Snippet(
    val text: String,
    val marks: List<IntRange>,
    val cutBefore: Boolean,
    val cutAfter: Boolean,
) {
    /** Prints no text. */
    override fun toString(): String = "Snippet($marks)"
}

/** A message that was found. */
public data class SearchHit(val message: Message, val snippet: Snippet)

/**
 * Hits in the order asked for.
 *
 * @property next what the next page is asked for with; null at the end
 * @property complete whether everything stored was looked at; not for a while after an update of the
 * app that brought the index
 */
public data class SearchPage(val hits: List<SearchHit>, val next: String?, val complete: Boolean)
