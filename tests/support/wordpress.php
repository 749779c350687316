<?php
/**
 * The few calls of WordPress that the plugin makes, told to behave as WordPress documents them, and a reader of commands:
 * a line of JSON {"options", "meta", "page", "call", "arguments"} in, a line of JSON {"answer", "calls"} out.
 */

define( 'ABSPATH', __DIR__ );

$world = array( 'options' => array(), 'meta' => array(), 'page' => array() );
$calls = array();
$hooks = array();

function note( string $call, ...$arguments ) {
	global $calls;
	$calls[] = array( $call, $arguments );
}
function add_action( $hook, $callback, $priority = 10 ) {
	global $hooks;
	$hooks[ $hook ][ $priority ][] = $callback;
}
function add_filter( $hook, $callback, $priority = 10 ) {
	add_action( $hook, $callback, $priority );
}
function run_hook( string $hook, ...$arguments ) {
	global $hooks;
	ksort( $hooks[ $hook ] );
	foreach ( array_merge( ...$hooks[ $hook ] ) as $callback ) {
		$arguments[0] = $callback( ...$arguments );
	}
	return $arguments[0] ?? null;
}
function get_option( $name, $default = false ) {
	global $world;
	return $world['options'][ $name ] ?? $default;
}
function get_post_meta( $post, $name, $single ) {
	global $world;
	return $world['meta'][ $name ] ?? '';
}
function get_the_ID() {
	return 7;
}
function is_singular( $type ) {
	global $world;
	return ( $world['page']['type'] ?? 'post' ) === $type;
}
function in_the_loop() {
	global $world;
	return $world['page']['loop'] ?? true;
}
function is_main_query() {
	global $world;
	return $world['page']['main'] ?? true;
}
function esc_attr( $text ) {
	return htmlspecialchars( $text, ENT_QUOTES, 'UTF-8', false );
}
function esc_html( $text ) {
	return esc_attr( $text );
}
function esc_url( $url ) {
	return str_replace( array( '&', "'" ), array( '&#038;', '&#039;' ), preg_replace( '|[^a-z0-9-~+_.?#=!&;,/:%@$\|*\'()\[\]]|i', '', $url ) );
}
function esc_url_raw( $url ) {
	return $url;
}
function __( $text, $domain ) {
	return $text;
}
function esc_attr__( $text, $domain ) {
	return esc_attr( $text );
}
function esc_html__( $text, $domain ) {
	return esc_html( $text );
}
function absint( $value ) {
	return abs( (int) $value );
}
function shortcode_atts( $defaults, $attributes, $shortcode ) {
	$given = array_intersect_key( is_array( $attributes ) ? $attributes : array(), $defaults );
	return array_merge( $defaults, $given );
}
function add_shortcode( ...$arguments ) {
	note( 'add_shortcode', ...$arguments );
}
function register_block_type( $folder, $settings ) {
	note( 'register_block_type', json_decode( file_get_contents( $folder . '/block.json' ), true )['name'], $settings['render_callback'] );
}
function wp_enqueue_script( ...$arguments ) {
	note( 'wp_enqueue_script', ...$arguments );
}
function add_options_page( ...$arguments ) {
	note( 'add_options_page', ...$arguments );
}
function register_setting( ...$arguments ) {
	note( 'register_setting', ...$arguments );
}
function add_settings_error( ...$arguments ) {
	note( 'add_settings_error', ...$arguments );
}
function settings_fields( $group ) {
	echo '<input type="hidden" name="option_page" value="' . $group . '">';
}
function submit_button() {
	echo '<button>Save</button>';
}

set_error_handler(
	function ( $level, $message, $file, $line ) {
		fwrite( STDERR, "$message at $file:$line\n" );
		exit( 1 );
	}
);
require $argv[1] . '/sponsor-slots.php';

while ( false !== ( $line = fgets( STDIN ) ) ) {
	$asked = json_decode( $line, true );
	$world = array_merge( $world, array_intersect_key( $asked, $world ) );
	$calls = array();
	ob_start();
	$answer  = ( $asked['call'] )( ...$asked['arguments'] );
	$printed = ob_get_clean();
	echo json_encode( array( 'answer' => $answer, 'printed' => $printed, 'calls' => $calls ) ), "\n";
}
