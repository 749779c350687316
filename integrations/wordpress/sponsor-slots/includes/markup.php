<?php
/**
 * The markup of a slot: the tag, and its frame for readers without JavaScript. It holds no token.
 */

defined( 'ABSPATH' ) || exit;

/**
 * Return the markup of a slot; empty where the service or the slot is not set, or is none.
 *
 * @param string $service  The service's address, without a slash at its end.
 * @param string $name     The slot's id.
 * @param string $location The place that the page is about, as in "Remer,MN".
 * @param string $topic    What it is about, separated by commas.
 */
function sponsor_slots_markup( string $service, string $name, string $location, string $topic ): string {
	if ( '' === $service || 1 !== preg_match( '/\A[a-z0-9][a-z0-9-]{0,63}\z/', $name ) ) {
		return '';
	}
	$about = array_filter(
		array(
			'location' => $location,
			'topic'    => $topic,
		),
		'strlen'
	);
	$query = http_build_query( $about, '', '&', PHP_QUERY_RFC3986 );
	$frame = $service . '/v1/frames/' . $name . ( '' === $query ? '' : '?' . $query );
	$said  = '';
	foreach ( $about as $attribute => $value ) {
		$said .= sprintf( ' %s="%s"', $attribute, esc_attr( $value ) );
	}
	return sprintf(
		'<sponsor-slot name="%s"%s><noscript><iframe src="%s" title="%s" loading="lazy"' .
		' sandbox="allow-popups allow-popups-to-escape-sandbox" width="100%%" height="48"></iframe></noscript></sponsor-slot>',
		esc_attr( $name ),
		$said,
		esc_url( $frame ),
		esc_attr__( 'Sponsor', 'sponsor-slots' )
	);
}
