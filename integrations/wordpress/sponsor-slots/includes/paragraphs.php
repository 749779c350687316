<?php
/**
 * A slot after the Nth paragraph of every post, where the settings ask for one.
 */

defined( 'ABSPATH' ) || exit;

/**
 * Return a post's content with the slot after its Nth paragraph; unchanged where the post is shorter.
 *
 * The place and the topics are those of the post's custom fields `sponsor_location` and `sponsor_topic`.
 */
function sponsor_slots_after_paragraph( string $content ): string {
	$after = (int) get_option( 'sponsor_slots_paragraph', 0 );
	if ( $after < 1 || ! is_singular( 'post' ) || ! in_the_loop() || ! is_main_query() ) {
		return $content;
	}
	$post   = get_the_ID();
	$markup = sponsor_slots_markup(
		sponsor_slots_service(),
		(string) get_option( 'sponsor_slots_slot', '' ),
		(string) get_post_meta( $post, 'sponsor_location', true ),
		(string) get_post_meta( $post, 'sponsor_topic', true )
	);
	return sponsor_slots_insert( $content, $markup, $after );
}

/** Return content with markup behind its Nth closing paragraph tag. */
function sponsor_slots_insert( string $content, string $markup, int $after ): string {
	$end = -1;
	for ( $paragraph = 0; $paragraph < $after; $paragraph++ ) {
		$end = stripos( $content, '</p>', $end + 1 );
		if ( false === $end ) {
			return $content;
		}
	}
	return substr_replace( $content, $markup, $end + strlen( '</p>' ), 0 );
}
