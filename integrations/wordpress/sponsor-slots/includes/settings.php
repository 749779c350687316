<?php
/**
 * Settings > Sponsor Slots: the service's address, and which slot comes after which paragraph of every post.
 */

defined( 'ABSPATH' ) || exit;

/** Return the service's address without a slash at its end; empty where it is not set. */
function sponsor_slots_service(): string {
	return (string) get_option( 'sponsor_slots_service', '' );
}

/** Put the page into the menu of settings. */
function sponsor_slots_settings_menu(): void {
	$title = __( 'Sponsor Slots', 'sponsor-slots' );
	add_options_page( $title, $title, 'manage_options', 'sponsor-slots', 'sponsor_slots_settings_page' );
}

/** Make the settings known, each with what cleans it. */
function sponsor_slots_settings_register(): void {
	$cleaners = array(
		'sponsor_slots_service'   => 'sponsor_slots_clean_service',
		'sponsor_slots_slot'      => 'sponsor_slots_clean_slot',
		'sponsor_slots_paragraph' => 'absint',
	);
	foreach ( $cleaners as $setting => $cleaner ) {
		register_setting( 'sponsor_slots', $setting, array( 'sanitize_callback' => $cleaner ) );
	}
}

/**
 * Return an address that can be used, without a slash at its end; empty, with a word to the person, where it is none.
 *
 * @param mixed $value As it was typed.
 */
function sponsor_slots_clean_service( $value ): string {
	$typed = trim( (string) $value );
	if ( '' !== $typed && 1 !== preg_match( '#\Ahttps?://[^/?\#\s"<>]+(/[^?\#\s"<>]*)?\z#i', $typed ) ) {
		$said = __( 'The address of the service begins with https:// and has no question mark, such as https://sponsors.example', 'sponsor-slots' );
		add_settings_error( 'sponsor_slots_service', 'sponsor_slots_service', $said );
		return sponsor_slots_service();
	}
	return rtrim( esc_url_raw( $typed ), '/' );
}

/**
 * Return a slot's id; what is none is refused with a word to the person.
 *
 * @param mixed $value As it was typed.
 */
function sponsor_slots_clean_slot( $value ): string {
	$typed = trim( (string) $value );
	if ( '' !== $typed && 1 !== preg_match( '/\A[a-z0-9][a-z0-9-]{0,63}\z/', $typed ) ) {
		$said = __( 'A slot is written with small letters, digits and hyphens, such as article-top', 'sponsor-slots' );
		add_settings_error( 'sponsor_slots_slot', 'sponsor_slots_slot', $said );
		return (string) get_option( 'sponsor_slots_slot', '' );
	}
	return $typed;
}

/** Print the page. */
function sponsor_slots_settings_page(): void {
	$fields = array(
		'sponsor_slots_service'   => array( 'url', __( 'Address of the service', 'sponsor-slots' ), __( 'such as https://sponsors.example', 'sponsor-slots' ) ),
		'sponsor_slots_slot'      => array( 'text', __( 'Slot in every post', 'sponsor-slots' ), __( 'such as article-top; empty: none', 'sponsor-slots' ) ),
		'sponsor_slots_paragraph' => array( 'number', __( 'After paragraph', 'sponsor-slots' ), __( '0: only where a shortcode or block stands', 'sponsor-slots' ) ),
	);
	echo '<div class="wrap"><h1>' . esc_html__( 'Sponsor Slots', 'sponsor-slots' ) . '</h1><form action="options.php" method="post">';
	settings_fields( 'sponsor_slots' );
	echo '<table class="form-table" role="presentation">';
	foreach ( $fields as $setting => $field ) {
		printf(
			'<tr><th scope="row"><label for="%1$s">%2$s</label></th><td><input id="%1$s" name="%1$s" type="%3$s" value="%4$s" class="regular-text"><p class="description">%5$s</p></td></tr>',
			esc_attr( $setting ),
			esc_html( $field[1] ),
			esc_attr( $field[0] ),
			esc_attr( (string) get_option( $setting, '' ) ),
			esc_html( $field[2] )
		);
	}
	echo '</table>';
	submit_button();
	echo '</form></div>';
}
