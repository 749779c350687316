<?php
/**
 * Plugin Name: Sponsor Slots
 * Description: Sponsor lines of your own ad server in posts and pages: a shortcode, a block, or after a paragraph of every post. Safe on cached pages.
 * Version: 0.1.0
 * Requires at least: 6.1
 * Requires PHP: 7.4
 * License: MIT
 * Text Domain: sponsor-slots
 *
 * What is printed holds no token, so page caches may keep it for as long as they like.
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/includes/markup.php';
require_once __DIR__ . '/includes/settings.php';
require_once __DIR__ . '/includes/paragraphs.php';

add_action( 'init', 'sponsor_slots_register' );
add_action( 'wp_enqueue_scripts', 'sponsor_slots_enqueue' );
add_action( 'admin_menu', 'sponsor_slots_settings_menu' );
add_action( 'admin_init', 'sponsor_slots_settings_register' );
add_filter( 'the_content', 'sponsor_slots_after_paragraph', 20 );

/** Make the shortcode and the block known. */
function sponsor_slots_register(): void {
	add_shortcode( 'sponsor_slot', 'sponsor_slots_shortcode' );
	register_block_type( __DIR__ . '/block', array( 'render_callback' => 'sponsor_slots_block' ) );
}

/** Load slot.js, deferred, wherever the service is set. */
function sponsor_slots_enqueue(): void {
	$service = sponsor_slots_service();
	if ( '' !== $service ) {
		wp_enqueue_script( 'sponsor-slots', $service . '/slot.js', array(), null, array( 'strategy' => 'defer' ) );
	}
}

/**
 * [sponsor_slot name="masthead" location="Remer,MN" topic="sports"]
 *
 * @param array|string $attributes What the shortcode says; a string where it says nothing.
 */
function sponsor_slots_shortcode( $attributes ): string {
	$said = shortcode_atts(
		array(
			'name'     => '',
			'location' => '',
			'topic'    => '',
		),
		$attributes,
		'sponsor_slot'
	);
	return sponsor_slots_markup( sponsor_slots_service(), $said['name'], $said['location'], $said['topic'] );
}

/**
 * The block, with the same three words.
 *
 * @param array $attributes Of the block.
 */
function sponsor_slots_block( array $attributes ): string {
	return sponsor_slots_shortcode( $attributes );
}
